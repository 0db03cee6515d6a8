package alert

import (
	"maps"
	"net/url"
	"time"

	"github.com/prometheus/common/model"
)

// Alert is one period in which a condition held for one label set.
type Alert struct {
	// Labels are its identity: two alerts with the same labels are the same one, at two times. Never empty;
	// alertname is among them.
	Labels map[string]string
	// Annotations tell more to people. They may change from one evaluation to the next.
	Annotations map[string]string

	Severity Severity
	Status   Status
	// StartsAt is when the condition began to hold, EndsAt when it ended: zero while the alert fires.
	StartsAt, EndsAt time.Time
	// ExpiresAt is when a firing alert is taken to be over unless it is reported again; zero for never. A report of an
	// end has none, but for one that follows from this: there it is EndsAt.
	ExpiresAt time.Time
	// Value of the expression at the last evaluation; nil where none is known.
	Value *float64
	// GeneratorURL leads to what raised the alert.
	GeneratorURL string
	// RuleID is the stored rule that raised the alert, empty where none did.
	RuleID string
	// UpdatedAt is when the one who raised the alert last said so. Of two reports on one alert the later one holds.
	UpdatedAt time.Time
}

// Name is the label alertname.
func (a *Alert) Name() string { return a.Labels[model.AlertNameLabel] }

// Expression is the PromQL that raised the alert, from the link that Prometheus' rules give their alerts; empty where
// nothing tells.
func (a *Alert) Expression() string {
	link, err := url.Parse(a.GeneratorURL)
	if err != nil {
		return ""
	}
	return link.Query().Get("g0.expr")
}

// Fingerprint identifies the labels, as Alertmanager does: 16 hexadecimal digits.
func (a *Alert) Fingerprint() string {
	ls := make(model.LabelSet, len(a.Labels))
	for k, v := range a.Labels {
		ls[model.LabelName(k)] = model.LabelValue(v)
	}
	return ls.Fingerprint().String()
}

// Clone gives a copy that shares nothing with the alert.
func (a *Alert) Clone() *Alert {
	c := *a
	c.Labels, c.Annotations = maps.Clone(a.Labels), maps.Clone(a.Annotations)
	if a.Value != nil {
		v := *a.Value
		c.Value = &v
	}
	return &c
}
