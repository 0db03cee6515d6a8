package metricstoreextension

import (
	"fmt"

	"github.com/shirou/gopsutil/v4/disk"
)

// diskSpace gives the bytes that are free, and all bytes, of the file system that holds a directory.
type diskSpace func(dir string) (free, total uint64, err error)

func systemDiskSpace(dir string) (free, total uint64, err error) {
	usage, err := disk.Usage(dir)
	if err != nil {
		return 0, 0, err
	}
	return usage.Free, usage.Total, nil
}

// spaceReport is what is left on the disk of a TSDB, and what that means for it.
type spaceReport struct {
	free, reserve uint64
	known         bool
}

// maxReserve is what must stay free for the TSDB's own work: it flushes chunks of samples that it has taken
// already, and the process would panic where it cannot.
const maxReserve = 64 << 20

// report asks for the space. A file system that does not tell has enough: its errors will show.
func (space diskSpace) report(dir string) spaceReport {
	free, total, err := space(dir)
	if err != nil {
		return spaceReport{}
	}
	return spaceReport{free: free, reserve: min(maxReserve, total/20), known: true}
}

// low is when no samples are taken any more.
func (r spaceReport) low() bool { return r.known && r.free < r.reserve }

// critical is when the TSDB must close before its own work fails.
func (r spaceReport) critical() bool { return r.known && r.free < r.reserve/4 }

// fits says whether so much more than the reserve is free.
func (r spaceReport) fits(bytes uint64) bool { return !r.known || r.free >= r.reserve+bytes }

func (r spaceReport) error() error {
	return fmt.Errorf("the disk is full: %d MiB are free, %d MiB must be: free some space or lower \"retention\"", r.free>>20, r.reserve>>20)
}
