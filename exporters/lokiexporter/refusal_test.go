package lokiexporter

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Texts as Loki 3.7.8 writes them.
const (
	tooOldText   = `entry for stream '{service_name="shop"}' has timestamp too old: 2026-11-01T00:00:00Z, oldest acceptable timestamp is: 2026-11-17T00:00:00Z`
	tooNewText   = `entry for stream '{service_name="shop"}' has timestamp too new: 2026-12-01T00:00:00Z`
	tooLongText  = `max entry size '262144' bytes exceeded for stream '{service_name="shop"}' while adding an entry with length '300000' bytes`
	metadataText = "stream '{service_name=\"shop\"}' has structured metadata too large: '70000' bytes, limit: '65536' bytes. Please see `limits_config.max_structured_metadata_size` or contact your Loki administrator to increase it"
	labelsText   = `stream '{service_name="shop"}' has label value too long: 'x'`
	behindText   = "entry with timestamp 2026-11-24 01:00:00 +0000 UTC ignored, reason: 'entry too far behind, entry timestamp is: 2026-11-24T01:00:00Z, oldest acceptable timestamp is: 2026-11-24T10:00:00Z',\n" +
		"entry with timestamp 2026-11-24 01:00:01 +0000 UTC ignored, reason: 'entry too far behind, entry timestamp is: 2026-11-24T01:00:01Z, oldest acceptable timestamp is: 2026-11-24T10:00:00Z',\n" +
		"user 'fake', total ignored: 2 out of 5 for stream: {service_name=\"shop\"}"
	orderText = "entry with timestamp 2026-11-24 01:00:00 +0000 UTC ignored, reason: 'entry out of order',\nuser 'fake', total ignored: 1 out of 5 for stream: {service_name=\"shop\"}"
)

func fiveOfShop() *parcel {
	return &parcel{streams: []stream{
		{labels: `{service_name="cart"}`, lines: make([]line, 2)},
		{labels: `{service_name="shop"}`, lines: make([]line, 5)},
	}}
}

func TestAnswersOfLokiAreRead(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want map[string]int
	}{
		"one":             {tooOldText, map[string]int{tooOld: 1}},
		"several":         {"3 errors like: " + tooOldText, map[string]int{tooOld: 3}},
		"of two kinds":    {"1 errors like: " + tooOldText + "; 2 errors like: " + tooNewText, map[string]int{tooOld: 1, tooNew: 2}},
		"of one kind":     {"1 errors like: " + tooLongText + "; 1 errors like: " + tooLongText, map[string]int{lineTooLong: 2}},
		"metadata":        {metadataText, map[string]int{structuredMetadata: 1}},
		"stream":          {labelsText, map[string]int{labelsRefused: 5}},
		"unknown stream":  {`stream '{a="b"}' has label value too long: 'x'`, map[string]int{labelsRefused: 1}},
		"more than sent":  {"90 errors like: " + tooOldText, map[string]int{tooOld: 7}},
		"too far behind":  {behindText, map[string]int{tooFarBehind: 2}},
		"out of order":    {orderText, map[string]int{outOfOrder: 1}},
		"of a new kind":   {"2 errors like: entry for stream '{}' is not to our liking", map[string]int{otherReason: 2}},
		"text in a label": {`entry for stream '{a="; 9 errors like: b"}' has timestamp too old: x`, map[string]int{tooOld: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			refused, ok := partlyRefused(tc.text, fiveOfShop())
			require.True(t, ok)
			assert.Equal(t, tc.want, refused)
		})
	}
}

// Of these nothing is stored.
func TestOtherAnswersRefuseTheWholePush(t *testing.T) {
	for _, text := range []string{
		"", "couldn't parse labels: 1:2: parse error: unexpected", "no org id", `rpc error: entry for stream '{}' has timestamp too old: x`,
	} {
		_, ok := partlyRefused(text, fiveOfShop())
		require.False(t, ok, text)
	}
}

func FuzzAnswers(f *testing.F) {
	for _, text := range []string{tooOldText, tooNewText, tooLongText, metadataText, labelsText, behindText, orderText, "99999999999999999999 errors like: " + tooOldText} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		refused, ok := partlyRefused(text, fiveOfShop())
		if !ok {
			return
		}
		total := 0
		for _, n := range refused {
			require.GreaterOrEqual(t, n, 0)
			total += n
		}
		require.LessOrEqual(t, total, 7)
	})
}
