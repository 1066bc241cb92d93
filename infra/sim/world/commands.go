package world

// command is something that somebody does, or that happens. Weight is how often, in comparison with the others.
type command struct {
	name   string
	weight int
	do     func(*World)
}

// commands are everything that can happen in a world. The first one is what a history is cut down to.
var commands []command

func init() { // the commands themselves choose commands, when somebody is interrupted
	commands = []command{
		{"nothing", 1, func(*World) {}},

		// Shoppers.
		{"place", 60, (*World).placeNew},
		{"place again", 14, (*World).placeAgain},
		{"place nonsense", 6, (*World).placeNonsense},
		{"pay", 60, (*World).pay},
		{"pay twice", 6, (*World).payTwice},
		{"cancel", 8, (*World).shopperCancels},
		{"received", 14, (*World).shopperReceives},
		{"ask to return", 12, (*World).asksReturn},
		{"confirm", 12, (*World).confirms},
		{"touch", 10, (*World).touches},

		// Operators.
		{"ship", 50, (*World).ship},
		{"deliver", 24, (*World).deliver},
		{"refund", 40, (*World).refundsSome},
		{"close return", 14, (*World).closesReturn},
		{"hold", 6, (*World).holds},
		{"lift", 8, (*World).lifts},
		{"end order", 6, (*World).operatorEnds},
		{"claim", 10, (*World).claims},
		{"ask again", 12, (*World).asksAgain},
		{"stock", 10, (*World).movesStock},
		{"rename SKUs", 14, (*World).renames},
		{"publish rules", 6, (*World).publishes},
		{"suspend", 3, (*World).suspends},
		{"promote", 4, (*World).promotes},
		{"redrive", 4, (*World).redrives},

		// Payouts, and what else moves balances.
		{"change method", 3, (*World).changesMethod},
		{"verify method", 5, (*World).verifiesMethod},
		{"withdraw", 30, (*World).withdraws},
		{"approve payout", 20, (*World).approvesPayout},
		{"reject payout", 2, (*World).rejectsPayout},
		{"release payout", 3, (*World).releasesPayout},
		{"record payout", 5, (*World).recordsPayout},
		{"pay out", 24, (*World).pays},
		{"transfer ends", 8, (*World).railFinishes},
		{"bank file", 8, (*World).makesFile},
		{"answer of the bank", 8, (*World).bankAnswers},
		{"publish terms", 3, (*World).publishesTerms},
		{"adjust", 8, (*World).adjusts},
		{"decide adjustment", 9, (*World).decidesAdjustment},
		{"close statements", 4, (*World).closesStatements},
		{"verify", 3, (*World).verifies},

		// The payment provider.
		{"event", 70, (*World).bankTells},
		{"false event", 5, (*World).bankLies},
		{"refund at the provider", 6, (*World).bankRefunds},
		{"refund ends", 30, (*World).bankFinishes},
		{"dispute", 12, (*World).disputes},

		// Time and streams.
		{"time passes", 50, (*World).timePasses},
		{"mature", 40, (*World).matures},
		{"consume", 420, (*World).consumes},
	}
	for _, c := range commands {
		allWeights += c.weight
	}
}

var allWeights int

// chooseCommand chooses the next step, by chance alone: a history names its steps.
func (w *World) chooseCommand() string {
	if often := w.options.Focus; len(often) > 0 && w.rng.IntN(2) == 0 {
		return often[w.rng.IntN(len(often))]
	}
	return commandAt(w.rng.IntN(allWeights))
}

// pickCommand chooses what happens in the middle of something else.
func (w *World) pickCommand() string { return commandAt(w.pick(allWeights)) }

func commandAt(at int) string {
	for _, c := range commands {
		if at -= c.weight; at < 0 {
			return c.name
		}
	}
	return commands[0].name
}

func commandNamed(name string) (command, bool) {
	for _, c := range commands {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}
