package decode

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"
)

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

// nextShortField reads the first field of a message, whose tag is one byte: its number, if it is a varint or a fixed64, or the
// bytes that have a length. The size is negative where there is none. Of a longer tag it reads the first byte, which is
// none of those that anybody asks for.
func nextShortField(b []byte) (tag byte, number uint64, inner []byte, size int) {
	if len(b) == 0 {
		return 0, 0, nil, -1
	}
	tag, b = b[0], b[1:]
	switch protowire.Type(tag & 7) {
	case protowire.BytesType:
		if len(b) > 0 && b[0] < 0x80 && int(b[0]) < len(b) { // nearly always
			size = 1 + int(b[0])
			return tag, 0, b[1:size], 1 + size
		}
		inner, size = protowire.ConsumeBytes(b)
	case protowire.Fixed64Type:
		if len(b) >= 8 {
			return tag, binary.LittleEndian.Uint64(b), nil, 9
		}
		return tag, 0, nil, -1
	case protowire.VarintType:
		number, size = protowire.ConsumeVarint(b)
	default:
		return tag, 0, nil, -1
	}
	if size < 0 {
		return tag, 0, nil, size
	}
	return tag, number, inner, 1 + size
}
