package commission

import (
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

// Simulation adds up what orders earned and what they would have earned had a draft been in force when they were placed and
// when their months began.
type Simulation struct {
	Draft  Book
	Orders int
	Earned map[Earner]Earned
	// Months are what the orders so far add up to under rules about months. Slices of one simulation hand them on: an order
	// changes a month by what it changes given those before it, so the slices add up to the whole.
	Months map[MonthKey]MonthPair
}

// Earner is a KOC and a currency.
type Earner struct {
	KOC      string
	Currency money.Currency
}

// Earned is commission net of refunds, in minor units, with what rules about months add to it or take from it.
type Earned struct {
	Was, Would             int64
	MonthsWas, MonthsWould int64 // parts of the two, by rules about months
}

// Changed reports whether the draft makes a difference.
func (e Earned) Changed() bool { return e.Was != e.Would }

// Plus adds sums.
func (e Earned) Plus(o Earned) Earned {
	return Earned{e.Was + o.Was, e.Would + o.Would, e.MonthsWas + o.MonthsWas, e.MonthsWould + o.MonthsWould}
}

// MonthPair is a month's sums under the rules that counted and under the draft's.
type MonthPair struct{ Was, Would MonthSums }

// NewSimulation begins with months as an earlier slice left them.
func NewSimulation(draft Book, months map[MonthKey]MonthPair) *Simulation {
	s := &Simulation{Draft: draft, Earned: map[Earner]Earned{}, Months: months}
	if s.Months == nil {
		s.Months = map[MonthKey]MonthPair{}
	}
	return s
}

// Add adds a paid order. known are the profiles of its winners and, where the draft pays inviters, of their inviters.
func (s *Simulation) Add(o ordering.Order, known map[string]koc.Profile) error {
	was, err := Target(o)
	if err != nil {
		return err
	}
	under := o.Clone()
	for i, a := range under.Awards {
		under.Awards[i] = Freeze(o, a, known, s.Draft, s.Draft)
	}
	would, err := Target(under)
	if err != nil {
		return err
	}
	s.Orders++
	for _, p := range was.Positions {
		s.add(o, p.KOC, Earned{Was: p.Net()})
	}
	for _, p := range would.Positions {
		s.add(o, p.KOC, Earned{Would: p.Net()})
	}
	for _, part := range was.Months {
		m := s.Months[part.Key]
		change := part.moves(&m.Was)
		s.Months[part.Key] = m
		s.add(o, part.Key.KOC, Earned{Was: change, MonthsWas: change})
	}
	for _, part := range would.Months {
		m := s.Months[part.Key]
		change := part.moves(&m.Would)
		s.Months[part.Key] = m
		s.add(o, part.Key.KOC, Earned{Would: change, MonthsWould: change})
	}
	return nil
}

// moves adds a part to a month and says by how much that changes what the month's rule pays or keeps.
func (p MonthPart) moves(sums *MonthSums) int64 {
	before := p.Terms.Adjust(*sums).Total()
	*sums = sums.Plus(p.Sums)
	return p.Terms.Adjust(*sums).Total() - before
}

func (s *Simulation) add(o ordering.Order, handle string, e Earned) {
	k := Earner{handle, o.Total.Currency}
	s.Earned[k] = s.Earned[k].Plus(e)
}
