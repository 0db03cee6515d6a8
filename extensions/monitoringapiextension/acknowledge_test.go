package monitoringapiextension

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

func TestAcknowledge(t *testing.T) {
	base, stored := startWithState(t, "ann")
	records := stored.intake(t, firingAlert("Slow", 0, alert.High), firingAlert("Down", 0, alert.High))
	created := sendJSON(t, http.MethodPost, base+"/api/v1/incidents",
		fmt.Sprintf(`{"title":"T","severity":"high","relatedAlerts":[%q]}`, records[0].ID), http.StatusCreated)
	in := base + created.header.Get("Location")
	first, second := base+"/api/v1/alerts/"+records[0].ID, base+"/api/v1/alerts/"+records[1].ID
	expires := time.Now().Add(time.Hour).UTC().Truncate(time.Second)

	acknowledged := decode[api.Alert](t, sendJSON(t, http.MethodPost, first+"/acknowledge",
		fmt.Sprintf(`{"comment":"Looking","by":"ada","expiresAt":%q}`, expires.Format(time.RFC3339)), http.StatusOK))
	require.NotNil(t, acknowledged.Acknowledgement)
	a := *acknowledged.Acknowledgement
	assert.Equal(t, []any{"ada", "Looking", expires, api.AcknowledgementOfAlert}, []any{a.By, *a.Comment, a.ExpiresAt.UTC(), a.Of})
	assert.Equal(t, acknowledged, decode[api.Alert](t, get(t, first)))
	assert.Nil(t, decode[api.Alert](t, get(t, second)).Acknowledgement)
	assert.Nil(t, decode[api.Incident](t, get(t, in)).Acknowledgement)

	whole := decode[api.Incident](t, sendJSON(t, http.MethodPost, in+"/acknowledge", `{}`, http.StatusOK))
	require.NotNil(t, whole.Acknowledgement)
	assert.Equal(t, []any{"ann", api.AcknowledgementOfIncident}, []any{whole.Acknowledgement.By, whole.Acknowledgement.Of})
	assert.Equal(t, "ada", (*whole.RelatedAlerts)[0].Acknowledgement.By)
	assert.Equal(t, http.StatusNoContent, do(t, http.MethodDelete, first+"/acknowledge", "").status)
	assert.Equal(t, "ann", decode[api.Alert](t, get(t, first)).Acknowledgement.By, "that of its incident")
	list := decode[[]api.Incident](t, get(t, base+"/api/v1/incidents"))
	assert.Equal(t, "ann", list[0].Acknowledgement.By)
	assert.Equal(t, "ann", (*list[0].RelatedAlerts)[0].Acknowledgement.By)
	assert.Equal(t, http.StatusNoContent, do(t, http.MethodDelete, in+"/acknowledge", "").status)
	assert.Nil(t, decode[api.Alert](t, get(t, first)).Acknowledgement)
	for _, url := range []string{first, second, in, base + "/api/v1/alerts/" + unknownID, base + "/api/v1/incidents/" + unknownID, base + "/api/v1/alerts/x"} {
		assert.Equal(t, http.StatusNotFound, do(t, http.MethodDelete, url+"/acknowledge", "").status, url)
	}

	var told []string
	var metadata map[string]any
	for _, e := range decode[[]api.TimelineEvent](t, get(t, in+"/timeline"))[2:] {
		assert.Equal(t, api.TimelineEventTypeAction, e.Type)
		assert.Equal(t, "ann", *e.CreatedBy)
		told = append(told, e.Content)
		if metadata == nil {
			metadata = *e.Metadata
		}
	}
	assert.Equal(t, []string{
		"Alert 'Slow' acknowledged by 'ada' until " + expires.Format(time.RFC3339) + ": Looking", "Acknowledged by 'ann'",
		"Acknowledgement of alert 'Slow' taken back", "Acknowledgement taken back",
	}, told)
	assert.Equal(t, []any{"ada", "Looking", records[0].ID}, []any{metadata["acknowledgedBy"], metadata["comment"], metadata["alertId"]})
	assert.IsType(t, 0.0, metadata["timeToAcknowledgeSeconds"])
}

func TestAcknowledgementsThatAreRefused(t *testing.T) {
	base, stored := startWithState(t, "ann")
	url := base + "/api/v1/alerts/" + stored.intake(t, firingAlert("Slow", 0, alert.High))[0].ID
	for body, field := range map[string]string{
		`{"expiresAt":"2020-01-01T00:00:00Z"}`: "expiresAt", `{"expiresAt":"soon"}`: "expiresAt", `{"comment":7}`: "comment", `[]`: "body",
	} {
		faults := sendJSON(t, http.MethodPost, url+"/acknowledge", body, http.StatusBadRequest).problem(t).Errors
		require.Len(t, faults, 1, body)
		assert.Equal(t, field, faults[0].Field, body)
	}
	sendJSON(t, http.MethodPut, url, `{"status":"resolved"}`, http.StatusOK)
	sendJSON(t, http.MethodPost, url+"/acknowledge", `{}`, http.StatusConflict)
	sendJSON(t, http.MethodPost, base+"/api/v1/alerts/"+unknownID+"/acknowledge", `{}`, http.StatusNotFound)
	created := sendJSON(t, http.MethodPost, base+"/api/v1/incidents", `{"title":"T","severity":"high"}`, http.StatusCreated)
	in := base + created.header.Get("Location")
	sendJSON(t, http.MethodPut, in, `{"status":"resolved"}`, http.StatusOK)
	sendJSON(t, http.MethodPost, in+"/acknowledge", `{}`, http.StatusConflict)
	sendJSON(t, http.MethodPost, base+"/api/v1/incidents/"+unknownID+"/acknowledge", `{}`, http.StatusNotFound)
}

func TestAlertTellsWhatMutesIt(t *testing.T) {
	base, stored := startWithState(t, "ann")
	record := stored.intake(t, firingAlert("Slow", 0, alert.High))[0]
	require.NoError(t, stored.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
		by := []alert.Mute{{Kind: alert.MutedByMaintenance, ID: unknownID, Name: "Patches"}}
		return tx.Mute(ctx, []incident.Muted{{AlertID: record.ID, At: time.Now(), By: by, Held: true}})
	}))
	want := []api.Mute{{Kind: api.MuteKindMaintenance, ID: unknownID, Name: new("Patches")}}
	assert.Equal(t, want, *decode[api.Alert](t, get(t, base+"/api/v1/alerts/"+record.ID)).MutedBy)
	assert.Equal(t, want, *decode[[]api.Alert](t, get(t, base+"/api/v1/alerts"))[0].MutedBy)
}

// FuzzAcknowledgement wants of every body that it is taken, or refused with its fault named.
func FuzzAcknowledgement(f *testing.F) {
	base, stored := startWithState(f, "ann")
	id := stored.intake(f, firingAlert("A", 0, alert.High))[0].ID
	in := createIncident(f, base, `{"title":"T","severity":"low"}`)
	for _, seed := range []string{
		`{}`, `{"by":"'; DROP TABLE acknowledgements; --","comment":"\u0000"}`, `{"expiresAt":"2126-01-01T00:00:00Z"}`, `{"expiresAt":"0000-01-01T00:00:00Z"}`,
		`{"expiresAt":7}`, `[`, ``,
	} {
		f.Add(true, seed)
		f.Add(false, seed)
	}
	f.Fuzz(func(t *testing.T, ofAlert bool, body string) {
		url := base + "/api/v1/incidents/" + in.ID
		if ofAlert {
			url = base + "/api/v1/alerts/" + id
		}
		switch got := do(t, http.MethodPost, url+"/acknowledge", body, "Content-Type", jsonType); got.status {
		case http.StatusOK, http.StatusCreated:
		case http.StatusBadRequest:
			require.NotEmpty(t, got.problem(t).Errors)
		default:
			t.Fatalf("status %d for %q: %s", got.status, body, got.body)
		}
	})
}
