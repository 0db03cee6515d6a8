package explanation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/notification"
)

// Facts are what is known of an alert.
type Facts struct {
	Alert           *alert.Record
	Mutes           []alert.Mute
	Acknowledgement *incident.Acknowledgement // that holds; nil for none
	// Decision is nil where there is no Alertmanager, or where it does not know yet.
	Decision *alertmanager.Decision
	// Notifications about the alert, the newest first.
	Notifications []notification.Notification
	// NoAlertmanager says why Decision is nil.
	NoAlertmanager string
	// Path is how its service calls that of its unresolved incident, where it joined by that.
	Path incident.Path
}

// Summary says what matters most: what fails, what mutes, who was told, what it waits for; and why it is in the incident of
// another service.
func (f *Facts) Summary() string {
	text := f.notified()
	if len(f.Path) > 0 {
		text += fmt.Sprintf(" It is in the incident of %s, which its service calls: %s.", f.Path[len(f.Path)-1], f.Path)
	}
	return text
}

func (f *Facts) notified() string {
	if text := f.failing(); text != "" {
		return text
	}
	if f.Alert.Status == alert.Resolved {
		return f.ended()
	}
	if text := f.quiet(); text != "" {
		return text
	}
	if last := f.lastSent(); last != nil {
		return told(last) + " that it fires."
	}
	return f.waiting()
}

func name(n *notification.Notification) string {
	return fmt.Sprintf("%s (%s)", n.Receiver, n.Integration)
}

func told(n *notification.Notification) string {
	return fmt.Sprintf("%s was told at %s", name(n), stamp(n.EndedAt))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (f *Facts) lastSent() *notification.Notification {
	i := slices.IndexFunc(f.Notifications, func(n notification.Notification) bool { return n.State == notification.Sent })
	if i < 0 {
		return nil
	}
	return &f.Notifications[i]
}

// failing tells of the newest notification where it has not arrived.
func (f *Facts) failing() string {
	if len(f.Notifications) == 0 {
		return ""
	}
	switch n := &f.Notifications[0]; n.State {
	case notification.Sending:
		return fmt.Sprintf("%s is being told, by attempt %d since %s.", name(n), n.Attempts, stamp(n.AttemptedAt))
	case notification.Retrying:
		return fmt.Sprintf("%s could not be told in %d attempts since %s, and is tried again: %s.", name(n), n.Attempts, stamp(n.BeganAt), n.Reason)
	case notification.Failed:
		return fmt.Sprintf("%s refused to be told at %s: %s.", name(n), stamp(n.EndedAt), n.Reason)
	default:
		return ""
	}
}

func (f *Facts) ended() string {
	last := f.lastSent()
	switch {
	case last != nil && slices.Contains(last.Resolved, f.Alert.Fingerprint()):
		return told(last) + " that it ended."
	case last != nil:
		return told(last) + " that it fired, and not that it ended."
	default:
		return "It has ended, and nobody was told of it."
	}
}

// quiet tells what keeps an alert that fires from notifying.
func (f *Facts) quiet() string {
	reasons := make([]string, 0, len(f.Mutes))
	for _, m := range f.Mutes {
		switch m.Kind {
		case alert.MutedByMaintenance:
			reasons = append(reasons, fmt.Sprintf("it is in the maintenance window %q", m.Name))
		case alert.MutedBySilence:
			reasons = append(reasons, "silence "+m.ID+" matches it")
		case alert.MutedByInhibition:
			reasons = append(reasons, "the alert with fingerprint "+m.ID+" inhibits it")
		}
	}
	if a := f.Acknowledgement; a != nil {
		reasons = append(reasons, fmt.Sprintf("%s acknowledged it at %s", a.By, stamp(a.At)))
	}
	if len(reasons) == 0 {
		return ""
	}
	return "Nobody is told now: " + strings.Join(reasons, ", and ") + "."
}

// waiting tells of an alert of which nobody was told yet.
func (f *Facts) waiting() string {
	switch {
	case f.Decision == nil:
		return "Nobody is told: " + f.NoAlertmanager + "."
	case !f.Decision.Held:
		return "The Alertmanager does not have it (yet)."
	}
	reasons := make([]string, len(f.Decision.Routes))
	for i := range f.Decision.Routes {
		r := &f.Decision.Routes[i]
		if len(r.Told) > 0 { // longer ago than the ledger goes back
			return fmt.Sprintf("%s was told at %s.", r.Receiver, stamp(r.Told[0].At))
		}
		reasons[i] = routed(r)
	}
	return "Nobody was told yet: " + strings.Join(reasons, "; ") + "."
}

func routed(r *alertmanager.Route) string {
	switch {
	case len(r.MutedBy) > 0:
		return fmt.Sprintf("the time interval %s mutes the route to %s", strings.Join(r.MutedBy, ", "), r.Receiver)
	case len(r.OutsideOf) > 0:
		return fmt.Sprintf("the route to %s is active in %s only", r.Receiver, strings.Join(r.OutsideOf, ", "))
	case r.Integrations == 0:
		return fmt.Sprintf("the receiver %s has no integrations", r.Receiver)
	case r.NextTurn.IsZero():
		return fmt.Sprintf("it is on its way to %s", r.Receiver)
	default:
		return fmt.Sprintf("its group waits for %s until %s", r.Receiver, stamp(r.NextTurn))
	}
}
