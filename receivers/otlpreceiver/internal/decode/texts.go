package decode

import "hash/maphash"

const (
	// textSlots is a power of two. A slot has the text that was last asked for there.
	textSlots = 1 << 13
	// keptText is the longest text that is kept, so that 8192 of them are half a MiB.
	keptText = 64
)

// texts makes strings of bytes, and gives those it has made before again: names and values of attributes come
// with each point. It forgets what other texts have taken the slot of.
type texts struct {
	seed  maphash.Seed
	slots *[textSlots]string
}

// again is of, for bytes that are likely those of the last text in the same place.
func (t *texts) again(last *string, b []byte) string {
	if *last == string(b) {
		return *last
	}
	text := t.of(b)
	if len(text) <= keptText {
		*last = text
	}
	return text
}

func (t *texts) of(b []byte) string {
	if len(b) > keptText {
		return string(b)
	}
	if t.slots == nil {
		t.seed, t.slots = maphash.MakeSeed(), new([textSlots]string)
	}
	slot := &t.slots[maphash.Bytes(t.seed, b)%textSlots]
	if *slot != string(b) {
		*slot = string(b)
	}
	return *slot
}
