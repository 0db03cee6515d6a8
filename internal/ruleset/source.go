package ruleset

import (
	"context"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/rulefmt"
)

// Source is a place where rule groups are kept, such as files or a database.
type Source interface {
	// Groups gives all groups of the source that can be used. Its faults are of the others, and leave the groups that
	// the source had of them before in place. The context ends the reading.
	Groups(ctx context.Context) (Set, []FileError)
}

// Set is all rule groups of a source at one time.
type Set struct {
	// Version changes whenever Files does.
	Version string
	Files   []File
}

// File is a named list of groups. Its name is what /api/v1/rules shows as the group's file, and is unique among all
// sources; groups have names that are unique in their file.
type File struct {
	Name   string
	Groups []rulefmt.RuleGroup
	// RuleIDs are the identities of stored rules, by group and by the name of the alert; nil where rules have none.
	RuleIDs map[string]map[string]string
}

// Join makes one source of several. Its set is theirs together.
func Join(sources ...Source) Source { return joined(sources) }

type joined []Source

func (j joined) Groups(ctx context.Context) (Set, []FileError) {
	var all Set
	var faults []FileError
	versions := make([]string, 0, len(j))
	for _, source := range j {
		set, f := source.Groups(ctx)
		versions = append(versions, set.Version)
		all.Files = append(all.Files, set.Files...)
		faults = append(faults, f...)
	}
	all.Version = strings.Join(versions, " ")
	return all, slices.Clip(faults)
}
