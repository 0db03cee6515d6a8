package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// formatSamples tells for each configuration of configs/logging how many records its sample has.
var formatSamples = map[string]int{"json": 5, "logfmt": 3, "klog": 3, "java": 3, "go": 4, "docker": 2, "cri": 3, "journald": 2}

// withLogFormats merges files of configs/logging.
func withLogFormats(t *testing.T, names ...string) option {
	t.Helper()
	return func(s *settings) {
		for _, name := range names {
			text, err := os.ReadFile(filepath.Join(configs, "logging", name+".yaml"))
			require.NoError(t, err)
			s.overlays = append(s.overlays, string(text))
		}
	}
}

// The same lines in, the same records out: what Loki is sent of each sample is what testdata has. UPDATE_GOLDEN=1 writes it.
func TestLogFormats(t *testing.T) {
	t.Parallel()
	samples := filepath.Join("testdata", "logformats")
	sink, folder := newSink(t), t.TempDir()
	env := []string{"LOKI_ENDPOINT=" + sink.URL, "JOURNAL_DIR=" + folder}
	var formats []string
	for name := range formatSamples {
		formats = append(formats, name)
		text, err := os.ReadFile(filepath.Join(samples, name+".log"))
		require.NoError(t, err)
		file := filepath.Join(folder, name+".log")
		if name == "cri" {
			file = filepath.Join(folder, "shop-prod_shop-0_6d5c0a5e-1b2c-4d3e-8f4a-5b6c7d8e9f00", "shop", "0.log")
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
		}
		require.NoError(t, os.WriteFile(file, text, 0o600))
		env = append(env, strings.ToUpper(name)+"_LOG_FILES="+file)
	}
	slices.Sort(formats)
	// A journalctl that prints a real export, and follows it as the real one does.
	journalctl := filepath.Join(folder, "journalctl")
	script := "#!/bin/sh\ncat " + filepath.Join(folder, "journald.log") + "\nexec sleep 600\n"
	require.NoError(t, os.WriteFile(journalctl, []byte(script), 0o700))
	env = append(env, "JOURNALCTL="+journalctl)

	startCollector(t, allInOne, withEnv(env...), withLogFormats(t, formats...),
		withOverlay(startAtTheBeginning(formats)))
	records := map[string][]string{}
	await(t, "all records", func() error {
		records = pushedByFormat(t, sink.await(t, "/loki/api/v1/push", 1))
		for _, name := range formats {
			if err := atLeast(len(records[name]), formatSamples[name]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	})
	for _, name := range formats {
		got := strings.Join(records[name], "\n") + "\n"
		golden := filepath.Join(samples, name+".golden")
		if os.Getenv("UPDATE_GOLDEN") != "" {
			require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		assert.Equal(t, string(want), got, name)
	}
}

// startAtTheBeginning reads what is there already, and tells the records of the formats apart.
func startAtTheBeginning(formats []string) string {
	var receivers []string
	for _, name := range formats {
		id := "filelog/" + name
		if name == "journald" {
			id = name
		}
		receivers = append(receivers, fmt.Sprintf("%s: {start_at: beginning, resource: {format: %s}}", id, name))
	}
	return "{receivers: {" + strings.Join(receivers, ", ") + "}}"
}

// pushedByFormat writes each record that was pushed as a line of JSON, by its format. Times have no year: klog has none.
func pushedByFormat(t *testing.T, bodies [][]byte) map[string][]string {
	t.Helper()
	records := map[string][]string{}
	for _, body := range bodies {
		plain, err := snappy.Decode(nil, body)
		require.NoError(t, err)
		var request push.PushRequest
		require.NoError(t, request.Unmarshal(plain))
		for _, s := range request.Streams {
			for _, e := range s.Entries {
				metadata := map[string]string{}
				for _, pair := range e.StructuredMetadata {
					metadata[pair.Name] = pair.Value
				}
				format := metadata["format"]
				delete(metadata, "format")
				delete(metadata, "observed_timestamp")
				at := e.Timestamp.UTC().Format("01-02T15:04:05.999999999")
				if time.Since(e.Timestamp).Abs() < time.Hour {
					at = "now"
				}
				delete(metadata, "log_file_path") // a temporary one
				text, err := json.Marshal([]any{at, s.Labels, e.Line, metadata})
				require.NoError(t, err)
				records[format] = append(records[format], string(text))
			}
		}
	}
	for _, lines := range records {
		slices.Sort(lines)
	}
	return records
}
