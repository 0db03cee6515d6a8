package ruleset

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"sync"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/quantivista/monitoring/internal/rule"
)

// storedFile is the name under which stored rules show as a file.
const storedFile = "api"

// severityLabel carries the severity of a stored rule, which the labels of the rule may override no more than its
// name.
const severityLabel = "severity"

// Stored gives the enabled rules of a database, each in a group of its own: they have nothing to do with each other,
// and one that is slow holds up no other.
type Stored struct {
	rules rule.Revisions

	mu       sync.Mutex
	current  Set
	revision int64
}

var _ Source = (*Stored)(nil)

// NewStored makes a source of the rules in a database.
func NewStored(rules rule.Revisions) *Stored { return &Stored{rules: rules, revision: -1} }

// Groups reads the rules where any of them has changed. While the database is away the rules that were read go on.
func (s *Stored) Groups(ctx context.Context) (Set, []FileError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	revision, err := s.rules.RulesRevision(ctx)
	if err != nil {
		return s.current, []FileError{{File: storedFile, Reason: err.Error()}}
	}
	if revision == s.revision {
		return s.current, nil
	}
	enabled, revision, err := s.rules.EnabledRules(ctx)
	if err != nil {
		return s.current, []FileError{{File: storedFile, Reason: err.Error()}}
	}
	file := File{Name: storedFile, RuleIDs: map[string]map[string]string{}}
	var faults []FileError
	for i := range enabled {
		group, err := ToGroup(&enabled[i])
		if err != nil {
			// The API refuses such a rule; another version of the binary may have taken it.
			faults = append(faults, FileError{File: storedFile, Reason: fmt.Sprintf("rule %s: %s", enabled[i].ID, err)})
			continue
		}
		file.Groups = append(file.Groups, group)
		file.RuleIDs[group.Name] = map[string]string{enabled[i].Name: enabled[i].ID}
	}
	if len(faults) == 0 {
		s.revision = revision
	}
	s.current = Set{Version: storedFile + strconv.FormatInt(revision, 10)}
	if len(file.Groups) > 0 {
		s.current.Files = []File{file}
	}
	return s.current, faults
}

// ToGroup makes a rule group of one rule, named by its identity.
func ToGroup(r *rule.Rule) (rulefmt.RuleGroup, error) {
	if err := r.Validate(); err != nil {
		return rulefmt.RuleGroup{}, err
	}
	if _, err := parser.ParseExpr(r.Query); err != nil {
		return rulefmt.RuleGroup{}, err
	}
	hold, err := model.ParseDuration(r.Duration)
	if err != nil {
		return rulefmt.RuleGroup{}, err
	}
	interval, err := model.ParseDuration(r.EvaluationInterval)
	if err != nil {
		return rulefmt.RuleGroup{}, err
	}
	labels := maps.Clone(r.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[severityLabel] = string(r.Severity)
	annotations := maps.Clone(r.Annotations)
	if r.Description != "" && annotations["description"] == "" {
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations["description"] = r.Description
	}
	return rulefmt.RuleGroup{
		Name:     r.ID,
		Interval: interval,
		Rules:    []rulefmt.Rule{{Alert: r.Name, Expr: r.Query, For: hold, Labels: labels, Annotations: annotations}},
	}, nil
}
