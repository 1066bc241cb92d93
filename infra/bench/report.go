package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is everything that a run has measured.
type Report struct {
	Machine    Machine      `json:"machine"`
	Startups   []Startup    `json:"startups"`
	Routes     []Route      `json:"routes"`
	Throughput []Throughput `json:"throughput"`
	Road       Road         `json:"road"`
	Settling   Settling     `json:"settling"`
	Depths     []Depth      `json:"depths"`
	Growth     []Growth     `json:"growth"`
	Memory     []Memory     `json:"memory"`
	Aims       []Aim        `json:"aims"`
}

// newReport has a row for every route.
func newReport(at time.Time) Report {
	r := Report{Machine: thisMachine(at)}
	for _, t := range routeTable() {
		r.Routes = append(r.Routes, Route{Name: t.name, Function: t.function})
	}
	return r
}

// Machine is where and when.
type Machine struct {
	Processor string    `json:"processor"`
	Cores     int       `json:"cores"`
	System    string    `json:"system"`
	Go        string    `json:"go"`
	Engine    string    `json:"engine"`
	At        time.Time `json:"at"`
	Seconds   float64   `json:"seconds"` // that the run took
}

func thisMachine(at time.Time) Machine {
	m := Machine{Processor: "unknown", Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), At: at.UTC()}
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return m // not on Linux
	}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			m.Processor = strings.TrimSpace(value)
			break
		}
	}
	return m
}

func engineName(s *shop) string {
	if s.Engine == nil {
		return s.Endpoint
	}
	return s.Engine.Kind + ", in memory"
}

// Aim is what was wanted and what was reached.
type Aim struct {
	Aim     string  `json:"aim"`
	Reached float64 `json:"reached"`
	Wanted  float64 `json:"wanted"`
	AtLeast bool    `json:"atLeast"` // otherwise at most
	Met     bool    `json:"met"`
	Note    string  `json:"note,omitempty"`
}

// judge compares what was measured with the aims.
func (r *Report) judge() {
	if r.Aims = r.growthAims(); len(r.Startups) > 0 {
		r.Aims = append(r.wholeAims(), r.Aims...)
	}
	for i, a := range r.Aims {
		r.Aims[i].Met = a.Reached <= a.Wanted && a.Reached > 0
		if a.AtLeast {
			r.Aims[i].Met = a.Reached >= a.Wanted
		}
	}
}

// wholeAims are those of a whole run, but for what a long history costs.
func (r *Report) wholeAims() []Aim {
	slowest, largest := worst(r.Startups, func(s Startup) float64 { return s.Ratio }), worst(r.Startups, func(s Startup) float64 { return float64(s.Bytes) })
	front, order := r.route("storefront by share link"), r.route("POST /orders, 1 line")
	return []Aim{
		{Aim: "start-up, times hello's", Reached: slowest.Ratio, Wanted: 2.5, Note: slowest.Function},
		{Aim: "largest binary, MB", Reached: megabytes(largest.Bytes), Wanted: 10, Note: largest.Function},
		{Aim: "storefront, store rounds in sequence", Reached: front.Rounds, Wanted: 2, Note: operations(front.Ops)},
		{Aim: "placing, store rounds in sequence", Reached: order.Rounds, Wanted: 2, Note: operations(order.Ops)},
		{Aim: "storefront pages/s at 8 clients", Reached: r.rate("storefront page", 8), Wanted: 1000, AtLeast: true},
		{Aim: "orders placed/s at 8 clients", Reached: r.rate("placing an order", 8), Wanted: 100, AtLeast: true},
		{Aim: "function CPU per full order, ms", Reached: r.Road.CPU.Functions, Wanted: 5},
		{Aim: "payment to earnings p95, ms", Reached: r.Road.LagP95MS, Wanted: 500},
		{Aim: "settle CPU per settled order, ms", Reached: r.Settling.CPUMS, Wanted: 1},
		{Aim: "earnings p99, most entries to fewest", Reached: r.depthRatio(), Wanted: 2, Note: "times"},
	}
}

// depthRatio is how many times longer earnings with the most entries take than those with the fewest.
func (r *Report) depthRatio() float64 {
	if len(r.Depths) < 2 || r.Depths[0].P99MS == 0 {
		return 0
	}
	return r.Depths[len(r.Depths)-1].P99MS / r.Depths[0].P99MS
}

func worst(all []Startup, value func(Startup) float64) Startup {
	var out Startup
	for _, s := range all {
		if value(s) > value(out) {
			out = s
		}
	}
	return out
}

func (r *Report) route(name string) Route {
	i := slices.IndexFunc(r.Routes, func(x Route) bool { return x.Name == name })
	if i < 0 {
		return Route{}
	}
	return r.Routes[i]
}

func (r *Report) rate(what string, clients int) float64 {
	i := slices.IndexFunc(r.Throughput, func(t Throughput) bool { return t.What == what && t.Clients == clients })
	if i < 0 {
		return 0
	}
	return r.Throughput[i].PerSecond
}

// operations lists calls by operation: BatchGetItem 1, TransactWriteItems 1.
func operations(ops map[string]float64) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(ops)) {
		out = append(out, fmt.Sprintf("%s %s", name, short(ops[name])))
	}
	return strings.Join(out, ", ")
}

// short is a number without needless digits: 2, 2.5, 0.33.
func short(x float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", x), "0"), ".")
}

// print writes the table.
func (r *Report) print(w io.Writer) error {
	m := r.Machine
	var b bytes.Buffer
	fmt.Fprintf(&b, "Yundian bench · %s · %s, %d cores, %s · %s · %s · %.0f s\n", m.At.Format("2006-01-02 15:04 MST"), m.Processor, m.Cores, m.System, m.Go, m.Engine, m.Seconds)
	if len(r.Startups) > 0 {
		b.WriteString("Medians of repeated runs on fresh stores; ")
	}
	b.WriteString("functions, runner, engine and load share the machine.\n")
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	if len(r.Startups) > 0 { // a whole run
		r.printStartups(t)
		r.printRoutes(t)
		r.printThroughput(t)
		r.printRoad(t)
		r.printLedger(t)
	}
	r.printGrowth(t)
	if err := t.Flush(); err != nil {
		return err
	}
	r.printAims(&b)
	_, err := w.Write(b.Bytes())
	return err
}

// A cell ends at each tab; AlignRight pushes numbers to the right, so names are padded by hand.
const nameWidth = 40

func name(s string) string {
	return s + strings.Repeat(" ", max(0, nameWidth-len([]rune(s))))
}

func (r *Report) printStartups(w io.Writer) {
	fmt.Fprintf(w, "\n%s\tMB\tstart ms\t× hello\tpeak RSS MB\t\n", name("FUNCTION"))
	peak := map[string]float64{}
	for _, m := range r.Memory {
		peak[m.Process] = m.PeakMB
	}
	for _, s := range r.Startups {
		rss := "–"
		if p := peak[s.Function]; p > 0 {
			rss = fmt.Sprintf("%.0f", p)
		}
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.2f\t%s\t\n", name(s.Function), megabytes(s.Bytes), s.FirstMS, s.Ratio, rss)
	}
	for _, process := range []string{"runner", "engine"} {
		fmt.Fprintf(w, "%s\t–\t–\t–\t%.0f\t\n", name("("+process+")"), peak[process])
	}
}

func (r *Report) printRoutes(w io.Writer) {
	fmt.Fprintf(w, "\n%s\tp50 ms\tp99 ms\tstore calls\trounds\tread units\twrite units\t\n", name("REQUEST, warm, one at a time"))
	for _, x := range r.Routes {
		p50, p99, rounds := "–", "–", "–"
		if x.P50MS > 0 {
			p50, p99 = fmt.Sprintf("%.2f", x.P50MS), fmt.Sprintf("%.2f", x.P99MS)
		}
		if x.Rounds > 0 || x.Calls == 0 {
			rounds = short(x.Rounds)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", name(x.Name), p50, p99, short(x.Calls), rounds, short(x.ReadUnits), short(x.WriteUnits))
	}
}

func (r *Report) printThroughput(w io.Writer) {
	fmt.Fprintf(w, "\n%s\tper second\tp50 ms\tp99 ms\tCPU ms: functions\trunner\tengine\tload\t\n", name("LOAD"))
	for _, x := range r.Throughput {
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t\n", name(fmt.Sprintf("%s, %d clients", x.What, x.Clients)), x.PerSecond, x.P50MS, x.P99MS,
			x.CPU.Functions, x.CPU.Runner, x.CPU.Engine, x.CPU.Load)
	}
	c := r.Road.CPU
	fmt.Fprintf(w, "%s\t%.0f\t–\t–\t%.2f\t%.2f\t%.2f\t%.2f\t\n", name(fmt.Sprintf("full road, %d clients", r.Road.Clients)), r.Road.PerSecond, c.Functions, c.Runner, c.Engine, c.Load)
}

func (r *Report) printRoad(w io.Writer) {
	fmt.Fprintf(w, "\n%s\tp50\tp95\tp95 from pressing pay\t\n", name("PAYMENT TO VISIBLE EARNINGS, ms"))
	fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t\n", name(fmt.Sprintf("at %.1f orders/s", r.Road.LagRate)), r.Road.LagP50MS, r.Road.LagP95MS, r.Road.PressP95)
	fmt.Fprintf(w, "\n%s\tms\t\n", name("FUNCTION CPU PER FULL ORDER"))
	for _, f := range slices.Sorted(maps.Keys(r.Road.Functions)) {
		fmt.Fprintf(w, "%s\t%.2f\t\n", name(f), r.Road.Functions[f])
	}
}

func (r *Report) printLedger(w io.Writer) {
	x := r.Settling
	fmt.Fprintf(w, "\n%s\torders/s\tsettle CPU ms\tall functions\t\n", name("SETTLING A BACKLOG, per order"))
	fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.2f\t\n", name(fmt.Sprintf("%d paid orders of %d KOCs", x.Orders, settledKOCs)), x.PerSecond, x.CPUMS, x.AllCPUMS)
	fmt.Fprintf(w, "\n%s\tp50\tp99\t\n", name("READING EARNINGS, ms"))
	for _, d := range r.Depths {
		fmt.Fprintf(w, "%s\t%.2f\t%.2f\t\n", name(fmt.Sprintf("a KOC with %d entries", d.Entries)), d.P50MS, d.P99MS)
	}
}

func (r *Report) printAims(w io.Writer) {
	fmt.Fprintf(w, "\n%s  %10s  %10s\n", name("AIM"), "wanted", "reached")
	for _, a := range r.Aims {
		sign, mark := "≤", "✗"
		if a.AtLeast {
			sign = "≥"
		}
		if a.Met {
			mark = "✓"
		}
		line := fmt.Sprintf("%s  %10s  %10s  %s %s", name(a.Aim), sign+" "+short(a.Wanted), short(a.Reached), mark, a.Note)
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}
