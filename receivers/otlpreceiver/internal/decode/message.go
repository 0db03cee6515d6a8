package decode

import "google.golang.org/protobuf/encoding/protowire"

// message is one that is being written.
type message []byte

// lengthBytes is what the length of a message takes that is written before the message is: padded, up to 32 GiB.
const lengthBytes = 5

// open begins a message within the message, and close ends it.
func (m *message) open(num protowire.Number) (start int) {
	*m = protowire.AppendTag(*m, num, protowire.BytesType)
	*m = append(*m, make([]byte, lengthBytes)...)
	return len(*m)
}

func (m *message) close(start int) {
	n := len(*m) - start
	length := (*m)[start-lengthBytes : start]
	for i := range length {
		length[i] = byte(n)&0x7f | 0x80
		n >>= 7
	}
	length[lengthBytes-1] &= 0x7f
}

// reset makes room for another message.
func (m *message) reset() {
	if *m = (*m)[:0]; cap(*m) > keptBytes {
		*m = nil
	}
}

type field struct {
	num   protowire.Number
	typ   protowire.Type
	raw   []byte // with the tag
	value []byte // of a field that has a length
	size  int
}

// nextField reads the first field of a message.
func nextField(b []byte) (f field, ok bool) {
	num, typ, n := protowire.ConsumeTag(b)
	if n < 0 {
		return field{}, false
	}
	var value []byte
	var size int
	if typ == protowire.BytesType {
		value, size = protowire.ConsumeBytes(b[n:])
	} else {
		size = protowire.ConsumeFieldValue(num, typ, b[n:])
	}
	if size < 0 {
		return field{}, false
	}
	return field{num: num, typ: typ, raw: b[:n+size], value: value, size: n + size}, true
}
