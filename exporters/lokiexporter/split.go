package lokiexporter

import (
	"github.com/grafana/loki/pkg/push"
)

// entryOverhead is what a push has for an entry beside its content: tags, lengths and the time.
const entryOverhead = 24

// weigh gives the size of an entry in a push, at least.
func weigh(e *push.Entry) int {
	n := entryOverhead + len(e.Line)
	for i := range e.StructuredMetadata {
		n += len(e.StructuredMetadata[i].Name) + len(e.StructuredMetadata[i].Value) + 8
	}
	return n
}

// parcel is what is sent in one push: streams of one tenant.
type parcel struct {
	tenant  string
	streams []stream
}

func (p *parcel) size() (lines int) {
	for i := range p.streams {
		lines += len(p.streams[i].lines)
	}
	return lines
}

// pack splits sorted streams into parcels of limit bytes at most, but for a line that is longer by itself.
func pack(streams []*stream, limit int) []parcel {
	var parcels []parcel
	weight := 0
	for _, s := range streams {
		fresh := true
		begin := 0
		for i := range s.lines {
			w := s.lines[i].weight
			if fresh {
				w += len(s.labels)
			}
			full := len(parcels) > 0 && limit > 0 && weight > 0 && weight+w > limit
			if len(parcels) == 0 || full || parcels[len(parcels)-1].tenant != s.tenant {
				if !fresh {
					parcels[len(parcels)-1].take(s, begin, i)
					begin = i
				}
				parcels = append(parcels, parcel{tenant: s.tenant})
				weight = len(s.labels)
				w = s.lines[i].weight
			}
			fresh = false
			weight += w
		}
		if begin < len(s.lines) {
			parcels[len(parcels)-1].take(s, begin, len(s.lines))
		}
	}
	return parcels
}

func (p *parcel) take(s *stream, from, to int) {
	p.streams = append(p.streams, stream{tenant: s.tenant, labels: s.labels, lines: s.lines[from:to]})
}

// halves splits a parcel of two lines or more.
func (p *parcel) halves() (left, right parcel) {
	left, right = parcel{tenant: p.tenant}, parcel{tenant: p.tenant}
	room := p.size() / 2
	for i := range p.streams {
		s := &p.streams[i]
		n := min(room, len(s.lines))
		if n > 0 {
			left.take(s, 0, n)
		}
		if n < len(s.lines) {
			right.take(s, n, len(s.lines))
		}
		room -= n
	}
	return left, right
}
