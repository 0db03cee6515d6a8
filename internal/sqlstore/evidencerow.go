package sqlstore

import (
	"crypto/sha256"
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/evidence"
)

// evidenceRow is a row of incident_evidence.
type evidenceRow struct {
	bun.BaseModel `bun:"table:incident_evidence,alias:v"`

	IncidentID  string   `bun:"incident_id,pk"`
	Kind        string   `bun:"kind,pk"`
	Key         string   `bun:"key,pk"`
	Place       int      `bun:"place"`
	CollectedAt instant  `bun:"collected_at"`
	Data        document `bun:"data"`
}

// The kinds of evidence.
const (
	metricKind     = "metric"
	traceKind      = "trace"
	logPatternKind = "log_pattern"
)

// document is a column of JSON.
type document string

// Value writes the column.
func (d document) Value() (driver.Value, error) { return string(d), nil }

// Scan reads the column.
func (d *document) Scan(src any) error {
	switch v := src.(type) {
	case string:
		*d = document(v)
	case []byte:
		*d = document(v)
	default:
		return fmt.Errorf("cannot read %T as JSON", src)
	}
	return nil
}

// toEvidenceRows gives a row for each piece of evidence.
func toEvidenceRows(incidentID string, e *evidence.Evidence, now instant) (rows []evidenceRow, err error) {
	add := func(kind, name string, place int, v any) {
		data, failure := marshal(v)
		if failure != nil {
			err = invalid(fmt.Errorf("%s %q cannot be written as JSON: %w", kind, name, failure))
		}
		key := sha256.Sum256([]byte(name))
		rows = append(rows, evidenceRow{
			IncidentID: incidentID, Kind: kind, Key: hex.EncodeToString(key[:]), Place: place, CollectedAt: now, Data: document(data),
		})
	}
	for i := range e.Metrics {
		add(metricKind, e.Metrics[i].AlertID, i, &e.Metrics[i])
	}
	for i := range e.Traces {
		add(traceKind, e.Traces[i].TraceID, i, &e.Traces[i])
	}
	for i := range e.Logs {
		add(logPatternKind, e.Logs[i].Service+"\x00"+e.Logs[i].Pattern, i, &e.Logs[i])
	}
	return rows, err
}

// fromEvidenceRows reads rows that are in the order of their places.
func fromEvidenceRows(rows []evidenceRow) (e evidence.Evidence, err error) {
	for i := range rows {
		data := []byte(rows[i].Data)
		switch rows[i].Kind {
		case metricKind:
			e.Metrics, err = appendRead(e.Metrics, data)
		case traceKind:
			e.Traces, err = appendRead(e.Traces, data)
		default:
			e.Logs, err = appendRead(e.Logs, data)
		}
		if err != nil {
			return e, fmt.Errorf("stored evidence (%s) cannot be read: %w", rows[i].Kind, err)
		}
	}
	return e, nil
}

func appendRead[T any](all []T, data []byte) ([]T, error) {
	var one T
	err := json.Unmarshal(data, &one)
	return append(all, one), err
}

// collectionRow is a row of evidence_collections.
type collectionRow struct {
	bun.BaseModel `bun:"table:evidence_collections,alias:c"`

	IncidentID  string                        `bun:"incident_id,pk"`
	Stage       evidence.Stage                `bun:"stage"`
	StageAt     instant                       `bun:"stage_at"`
	DueAt       instant                       `bun:"due_at"`
	Worker      string                        `bun:"worker"`
	LeasedUntil instant                       `bun:"leased_until"`
	Sources     jsonMap[evidence.SourceState] `bun:"sources"`
	StartedFrom instant                       `bun:"started_from"`
	EndedAt     instant                       `bun:"ended_at"`
	CollectedAt instant                       `bun:"collected_at"`
	Told        bool                          `bun:"told"`
	Metrics     int                           `bun:"metrics"`
	Traces      int                           `bun:"traces"`
	LogPatterns int                           `bun:"log_patterns"`
}

func toCollectionRow(c *evidence.Collection, counts evidence.Counts) *collectionRow {
	row := &collectionRow{
		IncidentID: c.IncidentID, Stage: c.Stage, StageAt: at(c.StageAt), Sources: jsonMap[evidence.SourceState]{},
		StartedFrom: at(c.Start), EndedAt: at(c.End), CollectedAt: at(c.CollectedAt), Told: c.Told,
		Metrics: counts.Metrics, Traces: counts.Traces, LogPatterns: counts.LogPatterns,
	}
	for source, state := range c.Sources {
		row.Sources[string(source)] = state
	}
	return row
}

func (r *collectionRow) collection() evidence.Collection {
	c := evidence.Collection{
		IncidentID: r.IncidentID, Stage: r.Stage, StageAt: r.StageAt.Time, Sources: map[evidence.Source]evidence.SourceState{},
		Start: r.StartedFrom.Time, End: r.EndedAt.Time, CollectedAt: r.CollectedAt.Time, Told: r.Told,
	}
	for source, state := range r.Sources {
		c.Sources[evidence.Source(source)] = state
	}
	return c
}

func (r *collectionRow) counts() evidence.Counts {
	return evidence.Counts{Metrics: r.Metrics, Traces: r.Traces, LogPatterns: r.LogPatterns}
}
