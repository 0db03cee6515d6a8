package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/quantivista/monitoring/internal/state"
	"github.com/quantivista/monitoring/test/bench/server"
)

// list is a request for a page of a list, or for a report. The query differs from time to time, as those of people do.
type list struct {
	name, path string
	query      func(i int) url.Values
	// slow is for those that read all of a period.
	slow bool
}

// slowRepeats is how often one that is slow is asked at most.
const slowRepeats = 5

// lists asks for pages of 100, one after the other, and prints how long each took.
func (b *bench) lists(ctx context.Context) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprint(out, "| list\t| rows\t| p50, ms\t| p99, ms\t|\n|---\t|---\t|---\t|---\t|\n")
	incident, err := b.newestIncident(ctx)
	if err != nil {
		return err
	}
	wanted, err := regexp.Compile(b.match)
	if err != nil {
		return err
	}
	fold := strings.NewReplacer(incident, "{incidentId}")
	for _, l := range allLists(incident) {
		if !wanted.MatchString(l.path + " " + l.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", l.path, l.name)
		var times []time.Duration
		rows := 0
		repeats := b.repeats
		if l.slow {
			repeats = min(repeats, slowRepeats)
		}
		for i := range repeats {
			target := b.api + l.path
			if l.query != nil {
				target += "?" + l.query(i).Encode()
			}
			begin := time.Now()
			elements, err := ask(ctx, target)
			if err != nil {
				return fmt.Errorf("%s: %w", l.name, err)
			}
			times = append(times, time.Since(begin))
			rows = len(elements)
		}
		slices.Sort(times)
		fmt.Fprintf(out, "| `%s` %s\t| %d\t| %.1f\t| %.1f\t|\n", fold.Replace(l.path), l.name, rows, milliseconds(times[len(times)/2]), milliseconds(times[len(times)*99/100]))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	_, err = fmt.Printf("\n%d alerts and %d incidents in PostgreSQL; each list asked %d times, each report 5 times, over HTTP, one request after the other. %d CPUs, %s, %s.\n\n",
		b.alerts, b.incidents, b.repeats, runtime.NumCPU(), server.CPUModel(), time.Now().UTC().Format(time.DateOnly))
	return err
}

// newestIncident gives the ID of the one that has a long timeline.
func (b *bench) newestIncident(ctx context.Context) (string, error) {
	elements, err := ask(ctx, b.api+"/api/v1/incidents?limit=1")
	if err != nil || len(elements) == 0 {
		return "", fmt.Errorf("no incident is stored: %w", err)
	}
	var newest struct{ ID string }
	err = json.Unmarshal(elements[0], &newest)
	return newest.ID, err
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// ask gives the elements of a list. A report is one element.
func ask(ctx context.Context, target string) (elements []json.RawMessage, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(answer, []byte("{")) {
		answer = slices.Concat([]byte("["), answer, []byte("]"))
	}
	if err := json.Unmarshal(answer, &elements); err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s: %.300s", target, resp.Status, answer)
	}
	return elements, nil
}

// values makes a query of names and values in turn.
func values(pairs ...string) url.Values {
	v := url.Values{"limit": {"100"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

// fixed gives the same query each time.
func fixed(pairs ...string) func(int) url.Values {
	return func(int) url.Values { return values(pairs...) }
}

// filtered gives a query with a filter that has a number in it, below limit.
func filtered(format string, limit int, pairs ...string) func(int) url.Values {
	return func(i int) url.Values {
		return values(append(slices.Clone(pairs), "filter", fmt.Sprintf(format, i*7%limit))...)
	}
}

// deep is a cursor in a list that is sorted by time.
func deep(name string, age time.Duration) string { return behind(name, ago(age)) }

func behind(name, key string) string {
	return state.Cursor{List: name, Key: key, ID: uuid.Max.String()}.String()
}

func ago(age time.Duration) string {
	return time.Now().Add(-age).UTC().Format("2006-01-02T15:04:05.000000Z")
}
