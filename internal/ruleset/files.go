package ruleset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
)

// Files keeps rule groups in files in the Prometheus format. A file is read again at each call and parsed when its
// content has changed, which is safe for editors that replace files and for Kubernetes' volumes, where every name is
// a symbolic link into a folder that is replaced. It is for one goroutine at a time.
type Files struct {
	patterns []string
	known    map[string]*file // by path
}

// file is the last content seen of a path, and the last groups that it had without a fault.
type file struct {
	sum    [sha256.Size]byte
	good   [sha256.Size]byte
	groups []rulefmt.RuleGroup // nil where the file was never without a fault
	faults []FileError
}

// NewFiles takes patterns of filepath.Glob.
func NewFiles(patterns ...string) *Files {
	return &Files{patterns: patterns, known: map[string]*file{}}
}

// Groups reads the files. One that has a fault keeps the groups that it had before; one that is gone has none.
func (f *Files) Groups(ctx context.Context) (Set, []FileError) {
	paths, faults := f.paths()
	maps.DeleteFunc(f.known, func(path string, _ *file) bool { return !slices.Contains(paths, path) })
	var set Set
	version := sha256.New()
	for _, path := range paths {
		if ctx.Err() != nil {
			return Set{}, []FileError{{File: path, Reason: ctx.Err().Error()}}
		}
		known := f.read(path)
		faults = append(faults, known.faults...)
		if known.groups != nil {
			set.Files = append(set.Files, File{Name: path, Groups: known.groups})
			fmt.Fprintf(version, "%q %x\n", path, known.good)
		}
	}
	set.Version = hex.EncodeToString(version.Sum(nil))
	return set, faults
}

// paths gives what the patterns match, sorted, each path once. A pattern without wildcards must exist.
func (f *Files) paths() ([]string, []FileError) {
	found := map[string]struct{}{}
	var faults []FileError
	for _, pattern := range f.patterns {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			faults = append(faults, FileError{File: pattern, Reason: err.Error()})
		}
		if len(matches) == 0 && !strings.ContainsAny(pattern, `*?[\`) {
			faults = append(faults, FileError{File: pattern, Reason: fs.ErrNotExist.Error()})
		}
		for _, path := range matches {
			found[path] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(found)), faults
}

func (f *Files) read(path string) *file {
	known := f.known[path]
	if known == nil {
		known = &file{}
		f.known[path] = known
	}
	content, err := os.ReadFile(path)
	if err != nil {
		known.sum = [sha256.Size]byte{}
		known.faults = []FileError{{File: path, Reason: err.Error()}}
		return known
	}
	sum := sha256.Sum256(content)
	if sum == known.sum {
		return known
	}
	known.sum, known.faults = sum, nil
	groups, faults := Parse(path, content)
	if len(faults) > 0 {
		known.faults = faults
		return known
	}
	known.groups, known.good = groups, sum
	return known
}

// Parse reads the content of a rule file, as strictly as Prometheus does.
func Parse(path string, content []byte) ([]rulefmt.RuleGroup, []FileError) {
	parsed, errs := rulefmt.Parse(content, false, model.UTF8Validation)
	if len(errs) == 0 {
		return append([]rulefmt.RuleGroup{}, parsed.Groups...), nil
	}
	var faults []FileError
	for _, err := range errs {
		// The content is read twice, and so is a fault of the YAML found twice.
		if f := newFileError(path, content, err); !slices.Contains(faults, f) {
			faults = append(faults, f)
		}
	}
	return nil, faults
}
