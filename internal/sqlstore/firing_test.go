package sqlstore

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/servicehealth"
)

func TestFiringByService(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		report := func(service string, severity alert.Severity, n int) alert.Alert {
			a := firing(noon.Add(time.Duration(n)*time.Second), noon.Add(time.Hour), "service", service, "n", fmt.Sprint(n))
			a.Severity = severity
			return a
		}
		intake(t, s,
			report("shop", alert.Low, 0), report("shop", alert.Critical, 2), report("shop", alert.Critical, 1), report("shop", alert.High, 3),
			report("it's", alert.Info, 4), report("", alert.Critical, 5),
			resolved(noon, noon, noon, "service", "quiet"))
		order := func(f servicehealth.Firing) (ns []string) {
			for i := range f.Alerts {
				ns = append(ns, f.Alerts[i].Labels["n"])
			}
			return ns
		}

		all, err := s.FiringByService(t.Context(), "", 3)
		require.NoError(t, err)
		require.Len(t, all, 2, "neither the quiet service nor the one without a name")
		assert.Equal(t, []string{"1", "2", "3"}, order(all["shop"]), "the worst first, the older before the newer")
		assert.Equal(t, 4, all["shop"].Total)
		assert.Equal(t, 1, all["it's"].Total)

		one, err := s.FiringByService(t.Context(), "it's", 100)
		require.NoError(t, err)
		assert.Equal(t, map[string]servicehealth.Firing{"it's": all["it's"]}, one)
	})
}

func TestHealthInChunks(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		records := make([]servicehealth.Record, 2*healthChunk+1)
		for i := range records {
			records[i] = servicehealth.Record{
				ID: newID(), Name: fmt.Sprintf("s%04d", i), Status: servicehealth.Healthy, LastCheck: noon, LastSeen: noon.Add(-time.Second),
				Reasons: []servicehealth.Reason{{Source: servicehealth.FromProbe, Status: servicehealth.Healthy, Message: "it's \"up\"\x00"}},
				Metrics: map[string]float64{},
			}
		}
		require.NoError(t, s.SaveHealth(t.Context(), records))
		for i := range records {
			records[i].Reasons = []servicehealth.Reason{{Source: servicehealth.FromProbe, Status: servicehealth.Healthy, Message: "it's \"up\"\ufffd"}}
		}
		got, err := s.Health(t.Context())
		require.NoError(t, err)
		assert.Equal(t, records, got)
	})
}

func TestDropHealth(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		record := func(name string, at time.Time) servicehealth.Record {
			return servicehealth.Record{ID: servicehealth.ID(name), Name: name, Status: servicehealth.Healthy, LastCheck: at, Metrics: map[string]float64{}}
		}
		gone, saved, kept := record("gone", noon), record("saved since", noon.Add(time.Minute)), record("kept", noon)
		require.NoError(t, s.SaveHealth(t.Context(), []servicehealth.Record{gone, saved, kept}))
		require.NoError(t, s.DropHealth(t.Context(), []string{gone.ID, saved.ID, "no id"}, noon))
		require.NoError(t, s.DropHealth(t.Context(), nil, noon))
		got, err := s.Health(t.Context())
		require.NoError(t, err)
		require.Len(t, got, 2)
		assert.Equal(t, "kept", got[0].Name)
		assert.Equal(t, "saved since", got[1].Name)
	})
}

// A judgement of a wrong clock does not stay for ever.
func TestHealthOfTheFutureIsReplaced(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		s.now = func() time.Time { return noon }
		r := servicehealth.Record{ID: newID(), Name: "api", Status: servicehealth.Unhealthy, LastCheck: noon.Add(time.Hour), Metrics: map[string]float64{}}
		require.NoError(t, s.SaveHealth(t.Context(), []servicehealth.Record{r}))
		r.Status, r.LastCheck = servicehealth.Healthy, noon
		require.NoError(t, s.SaveHealth(t.Context(), []servicehealth.Record{r}))
		got, err := s.Health(t.Context())
		require.NoError(t, err)
		assert.Equal(t, servicehealth.Healthy, got[0].Status)
	})
}
