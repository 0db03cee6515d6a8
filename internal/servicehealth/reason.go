package servicehealth

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Source is what a reason was seen by.
type Source string

// The sources.
const (
	// FromTargets is up, of the targets that are scraped.
	FromTargets Source = "targets"
	// FromMetrics is that metrics arrive from a service that pushes.
	FromMetrics Source = "metrics"
	// FromProbe is httpcheck or the blackbox exporter.
	FromProbe Source = "probe"
	// FromCheck is PromQL of the configuration.
	FromCheck Source = "check"
	// FromAlert is an alert that fires.
	FromAlert Source = "alert"
	// FromAbsence is that nothing was seen for a while.
	FromAbsence Source = "absence"
)

// Reason is one thing that a status was decided by.
type Reason struct {
	Source Source `json:"source"`
	// Status is what this reason alone would make of the service.
	Status Status `json:"status"`
	// Message tells people what was seen.
	Message string `json:"message"`
}

const (
	// maxReasons of a service are kept.
	maxReasons = 10
	// maxMessage bytes of a reason are kept: messages have values of labels in them.
	maxMessage = 500
)

// findings are the services that were seen, by name.
type findings map[string]*Service

// add notes a reason for a service, seen at a time; zero where no sample tells of it.
func (f findings) add(name string, seen time.Time, r Reason) {
	name = storable(name)
	s := f[name]
	if s == nil {
		s = &Service{ID: ID(name), Name: name}
		f[name] = s
	}
	if seen.After(s.LastSeen) {
		s.LastSeen = seen
	}
	if len(r.Message) > maxMessage {
		r.Message = strings.ToValidUTF8(r.Message[:maxMessage], "") + "…"
	}
	s.Reasons = append(s.Reasons, r)
}

// maxName is the number of characters that a stored name has.
const maxName = 255

// storable gives a name that databases take, and that stays different from others.
func storable(name string) string {
	name = strings.ReplaceAll(strings.ToValidUTF8(name, "\ufffd"), "\x00", "\ufffd")
	if utf8.RuneCountInString(name) <= maxName {
		return name
	}
	id := ID(name)
	return string([]rune(name)[:maxName-len(id)-1]) + "…" + id
}

// judge decides every status, and gives the services by name.
func (f findings) judge(at time.Time) []Service {
	services := make([]Service, 0, len(f))
	for _, s := range f {
		s.LastCheck = at.UTC()
		s.judge()
		services = append(services, *s)
	}
	slices.SortFunc(services, func(a, b Service) int { return strings.Compare(a.Name, b.Name) })
	return services
}

// judge has the worst reason decide.
func (s *Service) judge() {
	slices.SortFunc(s.Reasons, func(a, b Reason) int {
		return cmp.Or(b.Status.rank()-a.Status.rank(), strings.Compare(string(a.Source), string(b.Source)), strings.Compare(a.Message, b.Message))
	})
	s.Status = Healthy
	if len(s.Reasons) > 0 {
		s.Status = s.Reasons[0].Status
	}
	if more := len(s.Reasons) - maxReasons; more > 0 {
		s.Reasons = s.Reasons[:maxReasons:maxReasons]
		last := &s.Reasons[maxReasons-1]
		last.Message = fmt.Sprintf("%s (and %d more)", last.Message, more)
	}
}

// share judges by how many of a service's parts are in order: all, some or none of them.
func share(failed, all int) Status {
	switch {
	case failed == 0:
		return Healthy
	case failed < all:
		return Degraded
	default:
		return Unhealthy
	}
}
