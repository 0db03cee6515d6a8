package rule

import (
	"context"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/state"
)

// Validator says whether the query engine takes a rule: its query parses, its templates too. Faults are *FieldError,
// joined.
type Validator interface {
	ValidateRule(ctx context.Context, r Rule) error
}

// Query selects rules. Zero fields select all.
type Query struct {
	// Enabled selects by being enabled or not, where set.
	Enabled  *bool
	Severity alert.Severity
	Page     state.Page
}

// List is one page of rules, by name.
type List struct {
	Rules []Summary
	// Next is the cursor of the page behind this one; empty on the last.
	Next string
}

// Store keeps rules.
type Store interface {
	// Rule answers state.ErrNotFound for an unknown ID.
	Rule(ctx context.Context, id string) (Summary, error)
	Rules(ctx context.Context, q Query) (List, error)
	// CreateRule stores a valid rule and gives it as stored. An empty ID is filled in.
	CreateRule(ctx context.Context, r Rule) (Rule, error)
	// UpdateRule stores everything but ID and creation, and gives the rule as stored. r.Version must be the stored
	// one, else state.ErrVersion.
	UpdateRule(ctx context.Context, r Rule) (Rule, error)
	// SetRuleEnabled enables or disables a rule. version is the one that the caller knows, or 0 for any.
	SetRuleEnabled(ctx context.Context, id string, version int64, enabled bool) (Rule, error)
	// DeleteRule removes a rule. version is the one that the caller knows, or 0 for any.
	DeleteRule(ctx context.Context, id string, version int64) error
	Revisions
}

// Revisions lets every replica see changes soon: it asks for the revision every few seconds, which is one small
// read, and loads the rules when it has changed.
type Revisions interface {
	// RulesRevision counts all changes of rules, by any replica.
	RulesRevision(ctx context.Context) (int64, error)
	// EnabledRules gives all enabled rules, by name, and a revision that they are at least as new as.
	EnabledRules(ctx context.Context) ([]Rule, int64, error)
}
