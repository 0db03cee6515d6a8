package server

import (
	"io/fs"
	"path/filepath"
	"syscall"
)

// DiskUsage gives the bytes of all files below a directory that are allocated: the TSDB reserves more than it uses.
func DiskUsage(dir string) (float64, error) {
	total := int64(0)
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			total += stat.Blocks * 512
		}
		return nil
	})
	return float64(total), err
}
