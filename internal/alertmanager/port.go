package alertmanager

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// What a port answers, found by errors.Is. The text behind it says more.
var (
	// ErrNotReady answers before the first configuration is in force, while the alerts and silences of the last run
	// are still being read, and after the shutdown. The same call may succeed later.
	ErrNotReady = errors.New("the Alertmanager is not ready")
	// ErrFull answers an alert that is new where too many are held. The same call may succeed later.
	ErrFull = errors.New("the Alertmanager holds too many alerts")
	// ErrInvalid answers an alert that Alertmanager can never take. Others of the same call were taken.
	ErrInvalid = errors.New("is not valid")
)

// Alertmanager routes alerts, groups them, mutes those that are silenced or inhibited, and notifies receivers of the
// others. Its methods are safe for concurrent use.
type Alertmanager interface {
	Sink
	Muter
	Silencer
	Decider
	Tester
	// Handler serves what an Alertmanager serves, from the root: /api/v2/…, /-/reload, /-/ready and /-/healthy.
	Handler() http.Handler
	Status() Status
}

// Sink takes alerts.
type Sink interface {
	// Put takes reports on alerts, in any order: of two reports on one alert the later one holds. An alert that fires
	// stays until it is reported to be resolved, or its time is over. Reports that came before change nothing.
	//
	// The error joins all faults. It is ErrInvalid alone where the others were taken; with any other the whole may be
	// sent again.
	Put(ctx context.Context, alerts ...alert.Alert) error
}

// Muter tells what keeps an alert from notifying.
type Muter interface {
	// Muted answers for a label set whether or not an alert of it is held. The time intervals of routes are no part of
	// the answer: they mute groups.
	Muted(ctx context.Context, labels map[string]string) (Muting, error)
}

// Muting is why an alert notifies nobody.
type Muting struct {
	// Silences are the IDs of the active silences that match.
	Silences []string
	// Inhibitors are fingerprints of firing alerts that inhibit this one: one of them where there are several.
	Inhibitors []string
}

// Muted says whether there is a reason.
func (m Muting) Muted() bool { return len(m.Silences)+len(m.Inhibitors) > 0 }

// Status is the state of an Alertmanager.
type Status struct {
	// Ready says that alerts are routed.
	Ready bool
	// LoadedAt is when the configuration in force was loaded; zero before the first.
	LoadedAt time.Time
	// Fault is why the newest configuration was refused, with its line where that is known; empty where it was not.
	Fault string
	// Receivers of the configuration in force, in its order.
	Receivers []Receiver
}

// Receiver is somebody to notify.
type Receiver struct {
	Name string
	// Used says that a route leads to it.
	Used         bool
	Integrations []Integration
}

// Integration is one way in which a receiver is notified.
type Integration struct {
	// Type as Alertmanager writes it, such as webhook or pagerduty, and Index among those of the type.
	Type         string
	Index        int
	SendResolved bool
}
