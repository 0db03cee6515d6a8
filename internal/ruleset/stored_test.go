package ruleset_test

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/rule"
	"github.com/quantivista/monitoring/internal/ruleset"
	"github.com/quantivista/monitoring/internal/state"
)

// revisions is a database of rules.
type revisions struct {
	rules    []rule.Rule
	revision int64
	err      error
	reads    int
}

func (r *revisions) RulesRevision(context.Context) (int64, error) { return r.revision, r.err }

func (r *revisions) EnabledRules(context.Context) ([]rule.Rule, int64, error) {
	r.reads++
	return r.rules, r.revision, r.err
}

func stored(id, name, query string) rule.Rule {
	return rule.Rule{
		ID: id, Name: name, Query: query, Duration: "5m", EvaluationInterval: "15s", Severity: alert.High, Enabled: true,
		Description: "why", Labels: map[string]string{"team": "core", "severity": "other"},
	}
}

func TestStoredRulesAreGroupsOfTheirOwn(t *testing.T) {
	db := &revisions{rules: []rule.Rule{stored("1", "Down", "up == 0"), stored("2", "Down", "up < 1")}, revision: 7}
	set, faults := ruleset.NewStored(db).Groups(t.Context())
	require.Empty(t, faults)
	require.Len(t, set.Files, 1)
	file := set.Files[0]
	require.Len(t, file.Groups, 2)
	group := file.Groups[0]
	assert.Equal(t, model.Duration(15*time.Second), group.Interval)
	require.Len(t, group.Rules, 1)
	assert.Equal(t, "up == 0", group.Rules[0].Expr)
	assert.Equal(t, model.Duration(5*time.Minute), group.Rules[0].For)
	assert.Equal(t, map[string]string{"team": "core", "severity": "high"}, group.Rules[0].Labels)
	assert.Equal(t, map[string]string{"description": "why"}, group.Rules[0].Annotations)
	assert.Equal(t, "2", file.RuleIDs[file.Groups[1].Name]["Down"])
	assert.Nil(t, db.rules[0].Annotations, "the stored rule was changed")
}

func TestStoredRulesAreReadWhenTheyChange(t *testing.T) {
	db := &revisions{rules: []rule.Rule{stored("1", "A", "1")}, revision: 1}
	source := ruleset.NewStored(db)
	first, _ := source.Groups(t.Context())
	again, _ := source.Groups(t.Context())
	assert.Equal(t, first, again)
	assert.Equal(t, 1, db.reads, "an unchanged revision is read again")

	db.rules, db.revision = nil, 2
	none, faults := source.Groups(t.Context())
	require.Empty(t, faults)
	assert.Empty(t, none.Files)
	assert.NotEqual(t, first.Version, none.Version)
}

func TestStoredRulesGoOnWhileTheDatabaseIsAway(t *testing.T) {
	db := &revisions{rules: []rule.Rule{stored("1", "A", "1")}, revision: 1}
	source := ruleset.NewStored(db)
	before, _ := source.Groups(t.Context())
	db.err = state.ErrUnavailable
	during, faults := source.Groups(t.Context())
	assert.Equal(t, before, during)
	require.Len(t, faults, 1)
	assert.ErrorContains(t, faults[0], "available")
}

func TestAFaultyStoredRuleLeavesTheOthers(t *testing.T) {
	db := &revisions{rules: []rule.Rule{stored("1", "A", "up =="), stored("2", "B", "up")}, revision: 1}
	set, faults := ruleset.NewStored(db).Groups(t.Context())
	require.Len(t, faults, 1)
	assert.ErrorContains(t, faults[0], "rule 1")
	require.Len(t, set.Files, 1)
	require.Len(t, set.Files[0].Groups, 1)
	assert.Equal(t, "2", set.Files[0].Groups[0].Name)
}
