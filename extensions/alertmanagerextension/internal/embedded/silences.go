package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/silence/silencepb"

	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/state"
)

// ListSilences gives all silences, those that end last first.
func (e *Engine) ListSilences(ctx context.Context) ([]alertmanager.Silence, error) {
	all, _, err := e.silences.Query(ctx)
	if err != nil {
		return nil, err
	}
	told := make([]alertmanager.Silence, len(all))
	for i, s := range all {
		told[i] = fromSilence(s)
	}
	slices.SortFunc(told, func(a, b alertmanager.Silence) int {
		return cmp.Or(b.EndsAt.Compare(a.EndsAt), strings.Compare(a.ID, b.ID))
	})
	return told, nil
}

// Silence gives one.
func (e *Engine) Silence(ctx context.Context, id string) (alertmanager.Silence, error) {
	found, err := e.silences.QueryOne(ctx, silence.QIDs(id))
	if err != nil {
		return alertmanager.Silence{}, noSilence(id, err)
	}
	return fromSilence(found), nil
}

// SetSilence makes or changes one.
func (e *Engine) SetSilence(ctx context.Context, s alertmanager.Silence) (alertmanager.Silence, error) {
	set, err := toSilence(&s)
	if err != nil {
		return s, err
	}
	if err := e.silences.Set(ctx, set); err != nil {
		return s, noSilence(s.ID, err)
	}
	return e.Silence(ctx, set.Id)
}

// ExpireSilence ends one.
func (e *Engine) ExpireSilence(ctx context.Context, id string) error {
	return noSilence(id, e.silences.Expire(ctx, id))
}

func noSilence(id string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, silence.ErrNotFound):
		return fmt.Errorf("silence %q: %w", id, state.ErrNotFound)
	default:
		return fmt.Errorf("%w: it %w", err, state.ErrInvalid)
	}
}

// matcherTypes are the operators of the stored form.
var matcherTypes = map[labels.MatchType]silencepb.Matcher_Type{
	labels.MatchEqual: silencepb.Matcher_EQUAL, labels.MatchNotEqual: silencepb.Matcher_NOT_EQUAL,
	labels.MatchRegexp: silencepb.Matcher_REGEXP, labels.MatchNotRegexp: silencepb.Matcher_NOT_REGEXP,
}

func toSilence(s *alertmanager.Silence) (*silencepb.Silence, error) {
	set := &silencepb.Silence{Id: s.ID, StartsAt: s.StartsAt, EndsAt: s.EndsAt, CreatedBy: s.CreatedBy, Comment: s.Comment}
	selects := false
	for i, text := range s.Matchers {
		m, err := compat.Matcher(text, "silence")
		if err != nil {
			return nil, &alertmanager.FieldError{Field: fmt.Sprintf("matchers[%d]", i), Reason: fmt.Sprintf("must be a matcher such as service=\"db\": %s", err)}
		}
		selects = selects || !m.Matches("")
		set.Matchers = append(set.Matchers, &silencepb.Matcher{Type: matcherTypes[m.Type], Name: m.Name, Pattern: m.Value})
	}
	switch {
	case !selects:
		return nil, &alertmanager.FieldError{Field: "matchers", Reason: "must have one that does not match an empty value: this would silence everything"}
	case !s.EndsAt.After(s.StartsAt):
		return nil, &alertmanager.FieldError{Field: "endsAt", Reason: "must be after startsAt"}
	case !s.EndsAt.After(time.Now()):
		return nil, &alertmanager.FieldError{Field: "endsAt", Reason: "must be in the future"}
	case s.Comment == "":
		return nil, &alertmanager.FieldError{Field: "comment", Reason: "must tell why"}
	}
	return set, nil
}

func fromSilence(s *silencepb.Silence) alertmanager.Silence {
	told := alertmanager.Silence{
		ID: s.Id, StartsAt: s.StartsAt, EndsAt: s.EndsAt, UpdatedAt: s.UpdatedAt, CreatedBy: s.CreatedBy, Comment: s.Comment,
		State: alertmanager.SilenceActive,
	}
	switch now := time.Now(); {
	case now.Before(s.StartsAt):
		told.State = alertmanager.SilencePending
	case !now.Before(s.EndsAt):
		told.State = alertmanager.SilenceExpired
	}
	for _, m := range s.Matchers {
		for operator, stored := range matcherTypes {
			if stored == m.Type {
				told.Matchers = append(told.Matchers, fmt.Sprintf("%s%s%q", m.Name, operator, m.Pattern))
			}
		}
	}
	return told
}
