package incident

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTransitions(t *testing.T) {
	legal := map[[2]Status]bool{
		{Open, Investigating}: true, {Open, Mitigated}: true, {Open, Resolved}: true,
		{Investigating, Mitigated}: true, {Investigating, Resolved}: true,
		{Mitigated, Open}: true, {Mitigated, Investigating}: true, {Mitigated, Resolved}: true,
		{Resolved, Open}: true,
	}
	for _, from := range Statuses() {
		for _, to := range Statuses() {
			err := from.Check(to)
			assert.Equal(t, legal[[2]Status{from, to}] || from == to, err == nil, "%s to %s", from, to)
		}
	}
	err := Resolved.Check(Mitigated)
	require.EqualError(t, err, "an incident cannot go from resolved to mitigated, only to open")
	err = Investigating.Check(Open)
	require.EqualError(t, err, "an incident cannot go from investigating to open, only to mitigated, resolved")
}

func TestNames(t *testing.T) {
	for _, s := range Statuses() {
		got, err := ParseStatus(string(s))
		require.NoError(t, err)
		assert.Equal(t, s, got)
		require.NoError(t, new(Status).Scan([]byte(s)))
	}
	for _, wrong := range []any{"", "Open", "closed", 1, nil} {
		require.Error(t, new(Status).Scan(wrong))
	}
	_, err := Status("closed").Value()
	require.Error(t, err)
	for _, e := range []string{"status_change", "comment", "action", "alert", "system"} {
		_, err := ParseEventType(e)
		require.NoError(t, err)
	}
	_, err = ParseEventType("gossip")
	require.ErrorContains(t, err, "status_change, comment, action, alert, system")
}
