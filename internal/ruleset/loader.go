package ruleset

import (
	"fmt"
	"sync/atomic"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
)

// Loader gives the files of a set to Prometheus' rule manager, which asks for them by name. It is safe for concurrent
// use.
type Loader struct {
	files atomic.Pointer[map[string]File]
}

var _ rules.GroupLoader = (*Loader)(nil)

// Use has the loader give this set from now on, and returns the names to update the manager with.
func (l *Loader) Use(set Set) (names []string) {
	files := make(map[string]File, len(set.Files))
	for _, f := range set.Files {
		files[f.Name] = f
		names = append(names, f.Name)
	}
	l.files.Store(&files)
	return names
}

// RuleID gives the identity of a stored rule, empty where the rule has none.
func (l *Loader) RuleID(file, group, alertname string) string {
	return l.file(file).RuleIDs[group][alertname]
}

// Load gives the groups of a file, which were checked when its source read them.
func (l *Loader) Load(name string, _ bool, _ model.ValidationScheme) (*rulefmt.RuleGroups, []error) {
	f := l.file(name)
	if f.Name == "" {
		return nil, []error{fmt.Errorf("no source has a rule file %q", name)}
	}
	return &rulefmt.RuleGroups{Groups: f.Groups}, nil
}

// Parse reads an expression.
func (*Loader) Parse(query string) (parser.Expr, error) { return parser.ParseExpr(query) }

func (l *Loader) file(name string) File {
	if files := l.files.Load(); files != nil {
		return (*files)[name]
	}
	return File{}
}
