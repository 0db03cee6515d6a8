package server

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// CopyBinary copies a binary into dir and gives the path of the copy, which is what is measured. How many pages of a
// binary become resident depends on how its file came into the page cache: fresh from the linker ours has 100 MiB,
// a copy 77. And a profile names the path of its binary.
func CopyBinary(binary, dir string) (path string, err error) {
	from, err := os.Open(binary)
	if err != nil {
		return "", fmt.Errorf("%w: make build peers builds it", err)
	}
	defer from.Close()
	path = filepath.Join(dir, filepath.Base(binary))
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(to, from)
	return path, errors.Join(err, to.Close())
}
