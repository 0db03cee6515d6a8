package incident

import (
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// Acknowledgement says that someone has taken note of an alert, or of a whole incident. While it holds, nobody is told
// again.
type Acknowledgement struct {
	ID string
	// Either AlertID or IncidentID is set.
	AlertID, IncidentID string
	By                  string
	At                  time.Time
	Comment             string
	// ExpiresAt ends it; zero never does.
	ExpiresAt time.Time
	// Severity and Flaps are those of the alert or incident when it was acknowledged.
	Severity alert.Severity
	Flaps    int
	// EndedAt is when it ended for another reason than time; zero until then. One that has ended never holds again.
	EndedAt   time.Time
	EndedBy   string
	EndReason EndReason
}

// EndReason says why an acknowledgement ended.
type EndReason string

// Whatever happens to the alert or incident ends it in the same transaction.
const (
	Withdrawn  EndReason = "withdrawn"
	Replaced   EndReason = "replaced"
	OverWithIt EndReason = "resolved"
	FiredAgain EndReason = "fired_again"
	Worsened   EndReason = "worsened"
)

func (a *Acknowledgement) holds(now time.Time) bool {
	return a != nil && a.EndedAt.IsZero() && (a.ExpiresAt.IsZero() || now.Before(a.ExpiresAt))
}

// HoldsForIncident says whether nobody is told again of an incident: until it is resolved, its severity rises, or the
// acknowledgement expires or is taken back.
func (a *Acknowledgement) HoldsForIncident(in *Incident, now time.Time) bool {
	return a.holds(now) && a.IncidentID == in.ID && in.Status != Resolved && !in.Severity.Worse(a.Severity)
}

func (a *Acknowledgement) holdsForAlert(r *alert.Record, now time.Time) bool {
	return a.holds(now) && a.AlertID == r.ID && r.Flaps() <= a.Flaps && !r.Severity.Worse(a.Severity)
}

// Case is an alert with all that decides whether someone has taken note of it. What there is not is nil.
type Case struct {
	Alert alert.Record
	Own   *Acknowledgement
	// Incident is the unresolved one that the alert is in, since LinkedAt.
	Incident *Incident
	LinkedAt time.Time
	// Path is how the alert's service calls that of the incident, where it joined by that.
	Path         Path
	IncidentsOwn *Acknowledgement
}

// Acknowledged gives the acknowledgement that holds for the alert; nil for none. The alert's own holds until it is
// resolved, fires again or becomes worse. That of its incident holds for the alerts that were in it then: one that
// joins later is news.
func (c *Case) Acknowledged(now time.Time) *Acknowledgement {
	switch {
	case c.Alert.Status != alert.Firing:
		return nil
	case c.Own.holdsForAlert(&c.Alert, now):
		return c.Own
	case c.Incident != nil && c.IncidentsOwn.HoldsForIncident(c.Incident, now) && !c.LinkedAt.After(c.IncidentsOwn.At):
		return c.IncidentsOwn
	default:
		return nil
	}
}
