package promclient

import (
	"encoding/json"
	"fmt"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// queryData is the data of an answer to a query.
type queryData struct {
	Type   model.ValueType `json:"resultType"`
	Result json.RawMessage `json:"result"`
}

// value gives a promql.Vector, Matrix, Scalar or String.
func (d queryData) value() (parser.Value, error) {
	var (
		value parser.Value
		err   error
	)
	switch d.Type {
	case model.ValVector:
		value, err = decode(d.Result, vector)
	case model.ValMatrix:
		value, err = decode(d.Result, matrix)
	case model.ValScalar:
		value, err = decode(d.Result, func(s model.Scalar) (parser.Value, error) {
			return promql.Scalar{T: int64(s.Timestamp), V: float64(s.Value)}, nil
		})
	case model.ValString:
		value, err = decode(d.Result, func(s model.String) (parser.Value, error) {
			return promql.String{T: int64(s.Timestamp), V: s.Value}, nil
		})
	default:
		return nil, fmt.Errorf("the answer has a result of type %q", d.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("decode a result of type %s: %w", d.Type, err)
	}
	return value, nil
}

func decode[T any](data json.RawMessage, convert func(T) (parser.Value, error)) (parser.Value, error) {
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, err
	}
	return convert(v)
}

func vector(samples []model.Sample) (parser.Value, error) {
	v := make(promql.Vector, len(samples))
	for i, s := range samples {
		v[i] = promql.Sample{Metric: metric(s.Metric), T: int64(s.Timestamp), F: float64(s.Value)}
		if s.Histogram == nil {
			continue
		}
		h, err := floatHistogram(s.Histogram)
		if err != nil {
			return nil, err
		}
		v[i].F, v[i].H = 0, h
	}
	return v, nil
}

func matrix(streams []model.SampleStream) (parser.Value, error) {
	m := make(promql.Matrix, len(streams))
	for i, stream := range streams {
		m[i].Metric = metric(stream.Metric)
		for _, p := range stream.Values {
			m[i].Floats = append(m[i].Floats, promql.FPoint{T: int64(p.Timestamp), F: float64(p.Value)})
		}
		for _, p := range stream.Histograms {
			h, err := floatHistogram(p.Histogram)
			if err != nil {
				return nil, err
			}
			m[i].Histograms = append(m[i].Histograms, promql.HPoint{T: int64(p.Timestamp), H: h})
		}
	}
	return m, nil
}

func metric(m model.Metric) labels.Labels {
	b := labels.NewScratchBuilder(len(m))
	for name, value := range m {
		b.Add(string(name), string(value))
	}
	b.Sort()
	return b.Labels()
}
