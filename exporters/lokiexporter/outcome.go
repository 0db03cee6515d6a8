package lokiexporter

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// statusBlocked is what Loki answers where an operator has blocked ingestion: it takes the push and keeps nothing of it.
const statusBlocked = 260

// accepted tells whether Loki has stored everything.
func accepted(status int) bool {
	return status >= 200 && status < 300 && status != statusBlocked
}

// verdict is what is to be done after an answer.
type verdict int

const (
	stored    verdict = iota
	partly            // stored, but for the lines that were refused, which may be all
	refuse            // as a whole, and nothing of it is stored
	sendAgain         // later
)

func judge(a answer, p *parcel) (verdict, map[string]int) {
	switch {
	case accepted(a.status):
		return stored, nil
	case a.status == statusBlocked:
		return partly, map[string]int{blocked: p.size()}
	case a.status == http.StatusBadRequest:
		if refused, ok := partlyRefused(a.text, p); ok {
			return partly, refused
		}
		return refuse, map[string]int{otherReason: p.size()}
	case a.status == http.StatusRequestEntityTooLarge:
		return refuse, map[string]int{tooLarge: p.size()}
	case a.status == http.StatusUnprocessableEntity:
		return refuse, map[string]int{otherReason: p.size()}
	case a.status == http.StatusTooManyRequests, a.status == http.StatusRequestTimeout, a.status >= 500:
		return sendAgain, nil
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		return partly, map[string]int{denied: p.size()}
	default:
		return partly, map[string]int{otherReason: p.size()}
	}
}

// later is the error of an answer after which the lines are to be sent again, after as long as Loki asks for.
func later(a answer, now time.Time) error {
	err := errors.New(a.String())
	if delay := retryAfter(a.retryAfter, now); delay > 0 {
		return exporterhelper.NewThrottleRetry(err, delay)
	}
	return err
}

// errAllRefused is the beginning of a permanent error.
var errAllRefused = errors.New("no log record could be stored")

// retryAfter reads the header: seconds, or a time.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return at.Sub(now)
	}
	return 0
}

// String tells of the answer what a log line has room for.
func (a answer) String() string {
	return fmt.Sprintf("Loki answered %d: %s", a.status, excerpt(a.text))
}

// excerpt is what a log line has of an answer.
func excerpt(text string) string {
	const most = 500
	if len(text) <= most {
		return text
	}
	return cut(text, most) + "…"
}
