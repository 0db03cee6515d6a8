package metricstoreextension

import "github.com/prometheus/prometheus/storage"

// A TSDB gives series references out anew each time it is opened, and one of before may name another series
// then. References leave this store with the number of the opening in their upper bits, and come back as 0,
// "unknown", where it is another. The TSDB's own are below 1<<40: it packs them into that many bits itself.
const referenceBits = 40

func (d *database) external(ref storage.SeriesRef) storage.SeriesRef {
	if ref == 0 {
		return 0
	}
	return ref | storage.SeriesRef(d.number<<referenceBits)
}

func (d *database) internal(ref storage.SeriesRef) storage.SeriesRef {
	if uint64(ref)>>referenceBits != d.number {
		return 0
	}
	return ref & (1<<referenceBits - 1)
}
