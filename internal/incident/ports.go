package incident

import (
	"context"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/state"
)

// Query selects incidents. Zero fields select all.
type Query struct {
	// Statuses to select, any of them.
	Statuses   []Status
	Severity   alert.Severity
	AssignedTo string
	// From and To bound the time of creation, From included.
	From, To time.Time
	Page     state.Page
}

// List is one page of incidents, the newest first.
type List struct {
	Incidents []Summary
	// Next is the cursor of the page behind this one; empty on the last.
	Next string
}

// Timeline is one page of events, in their sequence.
type Timeline struct {
	Events []TimelineEvent
	Next   string
}

// AlertComment is what a person said about an alert.
type AlertComment struct {
	ID, AlertID string
	CreatedAt   time.Time
	CreatedBy   string
	Content     string
	// IncidentID is the incident whose timeline has the comment; empty for none.
	IncidentID string
}

// Reader gives stored incidents.
type Reader interface {
	// Incident answers state.ErrNotFound for an unknown ID.
	Incident(ctx context.Context, id string) (Incident, error)
	Incidents(ctx context.Context, q Query) (List, error)
	// CountUnresolved gives the number of incidents that are not resolved.
	CountUnresolved(ctx context.Context) (int, error)
	// Timeline answers state.ErrNotFound for an unknown incident.
	Timeline(ctx context.Context, incidentID string, page state.Page) (Timeline, error)
	// RelatedAlerts gives the alerts of each incident, the last linked first, at most limit of each.
	RelatedAlerts(ctx context.Context, incidentIDs []string, limit int) (map[string][]alert.Record, error)
	AcknowledgementReader
	MuteReader
	// AlertComments gives what people said about an alert, the last limit, in the order in which they were stored.
	AlertComments(ctx context.Context, alertID string, limit int) ([]AlertComment, error)
}

// Writer changes alerts and incidents. All changes of do are stored together, or none; do may be called again
// where the database asks for it, so it must not change anything but by its Tx. Transactions take turns, across all
// replicas of one database: what do has read stays true until it ends.
type Writer interface {
	Write(ctx context.Context, do func(context.Context, Tx) error) error
}

// Tx is one transaction of a Writer. It is not safe for concurrent use, and useless behind the end of do.
type Tx interface {
	AlertTx
	RecordTx
	LinkTx
	TimelineTx
	AcknowledgementTx
	MuteTx
	CommentTx
	RetentionTx
}

// AlertTx changes alerts.
type AlertTx interface {
	// Intake stores reports, by the rules of alert.History, and gives what they changed beyond times and values, by
	// fingerprint and start. A replay changes nothing.
	Intake(ctx context.Context, reports []alert.Alert, flapWindow time.Duration) ([]alert.Change, error)
	// ResolveAlert ends an alert by hand. It stays resolved until it fires anew. version is the one that the caller
	// knows, or 0 for any; another answers state.ErrVersion.
	ResolveAlert(ctx context.Context, id string, version int64, by string) (alert.Change, error)
	// ReopenAlert takes back ResolveAlert, or fires the alert anew. It answers state.ErrConflict where a newer alert
	// of the same labels is stored. One that ended while it was held is held again.
	ReopenAlert(ctx context.Context, id string, version int64) (alert.Change, error)
	// ExpiredAlerts gives alerts that fire and whose ExpiresAt is before a time, at most limit, the longest expired
	// first.
	ExpiredAlerts(ctx context.Context, before time.Time, limit int) ([]alert.Record, error)
	// NewestAlerts gives, of each report whose labels have one, the alert that began last, by the report's fingerprint.
	NewestAlerts(ctx context.Context, reports []alert.Alert) (map[string]alert.Record, error)
	// UnlinkedAlerts gives the alerts that fire, are in no unresolved incident and are not detached, of those that s
	// selects, the first to fire first.
	UnlinkedAlerts(ctx context.Context, s Shared) ([]alert.Record, error)
	// AlertsByID gives those that are there, in the order of their IDs.
	AlertsByID(ctx context.Context, ids []string) ([]alert.Record, error)
	// Alert answers state.ErrNotFound for an unknown ID.
	Alert(ctx context.Context, id string) (alert.Record, error)
	// LinkedAlerts gives the unresolved incident of each alert that has one.
	LinkedAlerts(ctx context.Context, alertIDs []string) (map[string]string, error)
}

// RecordTx changes incidents.
type RecordTx interface {
	// Incident answers state.ErrNotFound for an unknown ID.
	Incident(ctx context.Context, id string) (Incident, error)
	// IncidentsByID gives those that are there.
	IncidentsByID(ctx context.Context, ids []string) (map[string]Incident, error)
	// UnresolvedByKey gives the unresolved incident of each correlation key that has one: its own, or the one that its
	// own was merged into.
	UnresolvedByKey(ctx context.Context, keys []string) (map[string]Incident, error)
	// ResolvedByKey gives, of each correlation key, the incident that was resolved last, and not before since. In place
	// of a merged one it gives the one that it was merged into.
	ResolvedByKey(ctx context.Context, keys []string, since time.Time) (map[string]Incident, error)
	// MitigatedBefore gives mitigated incidents with a correlation key that became so before a time and none of whose
	// alerts fires, at most limit, the oldest first.
	MitigatedBefore(ctx context.Context, before time.Time, limit int) ([]Incident, error)
	// CreateIncident stores a new incident and gives it as stored. An empty ID is filled in.
	CreateIncident(ctx context.Context, in Incident) (Incident, error)
	// UpdateIncident stores everything but ID, creation and key, and gives the incident as stored. in.Version must
	// be the stored one, else state.ErrVersion. An illegal change of status answers a *TransitionError.
	// ResolvedAt and MitigatedAt follow from the status where they are zero.
	UpdateIncident(ctx context.Context, in Incident) (Incident, error)
	// RedirectKeys has the key of a merged incident, and those of incidents that were merged into it, lead to another
	// one: until an incident of the key itself begins.
	RedirectKeys(ctx context.Context, mergedID, intoID string) error
}

// Links are alerts by the incident that they join. An alert is in one of them at most.
type Links map[string][]string

// LinkTx relates alerts to incidents.
type LinkTx interface {
	// LinkAlerts adds alerts to incidents; those that they have already are left alone. They are detached no more. It
	// answers state.ErrConflict for a resolved incident and for an alert of another unresolved one, state.ErrNotFound
	// for an unknown incident or alert.
	LinkAlerts(ctx context.Context, links Links) error
	// KeepPath remembers by which path of the service graph alerts of an incident have joined it.
	KeepPath(ctx context.Context, incidentID string, alertIDs []string, path Path) error
	// UnlinkAlerts takes alerts from an incident; those that it does not have are left alone.
	UnlinkAlerts(ctx context.Context, incidentID string, alertIDs []string) error
	// DetachAlerts remembers that alerts shall join no incident by themselves as long as their newest period is the one
	// that it is now.
	DetachAlerts(ctx context.Context, alertIDs []string) error
	// Detached gives the start of the period for which each alert is detached, of those that are.
	Detached(ctx context.Context, alertIDs []string) (map[string]time.Time, error)
	// AlertIDs gives the alerts of an incident, by the time they were linked.
	AlertIDs(ctx context.Context, incidentID string) ([]string, error)
	// Firing gives those of the incidents that have an alert that fires.
	Firing(ctx context.Context, incidentIDs []string) (map[string]bool, error)
}

// TimelineTx tells what happened.
type TimelineTx interface {
	// AppendEvents adds events in their order and gives them as stored. Empty IDs and zero times are filled in. It
	// answers state.ErrNotFound for an unknown incident.
	AppendEvents(ctx context.Context, events ...TimelineEvent) ([]TimelineEvent, error)
}

// AcknowledgementTx takes note.
type AcknowledgementTx interface {
	// Acknowledge stores an acknowledgement of a firing alert or an unresolved incident in place of the one before, as
	// the alert or incident is now, and gives it as stored. It answers state.ErrConflict for what is resolved.
	Acknowledge(ctx context.Context, a Acknowledgement) (Acknowledgement, error)
	// WithdrawAlert and WithdrawIncident end the acknowledgement that has not ended, and give it. They answer
	// state.ErrNotFound where there is none.
	WithdrawAlert(ctx context.Context, alertID, by string) (Acknowledgement, error)
	WithdrawIncident(ctx context.Context, incidentID, by string) (Acknowledgement, error)
}

// CommentTx keeps what people say about alerts.
type CommentTx interface {
	// CommentAlert stores a comment and gives it as stored. Empty ID and zero time are filled in. It answers
	// state.ErrNotFound for an unknown alert.
	CommentAlert(ctx context.Context, c AlertComment) (AlertComment, error)
	// UntoldComments gives the comments on alerts that are in no timeline, in the order in which they were stored.
	UntoldComments(ctx context.Context, alertIDs []string) ([]AlertComment, error)
	// CommentsTold remembers the incident whose timeline has comments.
	CommentsTold(ctx context.Context, incidentID string, commentIDs []string) error
}

// RetentionTx deletes what is old. The oldest goes first.
type RetentionTx interface {
	// DeleteIncidents deletes incidents that were resolved before a time, with their links and timelines, at most limit,
	// and gives their number.
	DeleteIncidents(ctx context.Context, resolvedBefore time.Time, limit int) (int, error)
	// DeleteAlerts deletes alerts that ended before a time, were not reported since, and are in no incident, at most
	// limit, and gives their number.
	DeleteAlerts(ctx context.Context, endedBefore time.Time, limit int) (int, error)
}
