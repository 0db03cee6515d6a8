package metricstoreextension

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/prometheus/prometheus/tsdb/wlog"
)

// checkWritable makes the directory and tries a file in it, since the TSDB's own errors do not say what to do.
func checkWritable(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("\"directory\" %s cannot be made; let this process's user write to the folder above, or name another directory: %w", dir, err)
	}
	probe, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return fmt.Errorf("\"directory\" %s is not writable by this process; give its user the right to, or name another directory: %w", dir, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// openError says what to do about an error of tsdb.Open.
func openError(dir string, err error) error {
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("\"directory\" %s is in use by another process, which holds %s: stop it, or give each process a directory of its own: %w",
			dir, filepath.Join(dir, "lock"), err)
	}
	return fmt.Errorf("open the TSDB in \"directory\" %s: %w", dir, err)
}

// repairSuffix marks a torn segment while the TSDB copies its good records into a new one.
const repairSuffix = ".repair"

// resumeRepairs puts torn segments back whose repair did not end, as on a full disk or by a crash. The TSDB
// would go on with the part it had copied, and lose the rest.
func resumeRepairs(dir string, logger *slog.Logger) error {
	for _, logDir := range []string{filepath.Join(dir, "wal"), filepath.Join(dir, wlog.WblDirName)} {
		left, err := filepath.Glob(filepath.Join(logDir, "*"+repairSuffix))
		if err != nil {
			return err
		}
		for _, torn := range left {
			segment := strings.TrimSuffix(torn, repairSuffix)
			logger.Warn("A repair of the write-ahead log did not end; it starts over", "segment", segment)
			if err := os.Rename(torn, segment); err != nil {
				return fmt.Errorf("put back the segment of a repair that did not end: %w", err)
			}
		}
	}
	return nil
}

// lastSegmentSize is how many bytes a repair may have to copy.
func lastSegmentSize(dir string) uint64 {
	var largest int64
	for _, logDir := range []string{filepath.Join(dir, "wal"), filepath.Join(dir, wlog.WblDirName)} {
		_, last, err := wlog.Segments(logDir)
		if err != nil || last < 0 {
			continue
		}
		if info, err := os.Stat(wlog.SegmentName(logDir, last)); err == nil {
			largest = max(largest, info.Size())
		}
	}
	return uint64(largest)
}
