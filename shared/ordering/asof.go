package ordering

import (
	"reflect"
	"slices"
	"sync"
)

// AsOf is the order as its version v was: without the facts that were recorded later. It finds them by the version that
// every fact carries, whatever kind of fact it is. What has no version of its own (sessions, tries, ids at a provider) is as
// it is now, and so are refunds from before it was known which payment counts; nothing that is earned or counted follows
// from either.
func (o Order) AsOf(v int64) Order {
	if v >= o.Version {
		return o
	}
	forget(reflect.ValueOf(&o).Elem(), v)
	o.Version = v
	return o
}

// forget removes the facts within a struct that are later than a version. It copies what it changes, because orders share
// their facts.
func forget(of reflect.Value, v int64) {
	for _, f := range of.Fields() {
		switch {
		case !dated(f.Type()):
		case f.Kind() == reflect.Struct:
			forget(f, v)
		case f.Kind() == reflect.Pointer && !f.IsNil():
			if later(f.Elem(), v) {
				f.SetZero()
				continue
			}
			kept := reflect.New(f.Type().Elem())
			kept.Elem().Set(f.Elem())
			forget(kept.Elem(), v)
			f.Set(kept)
		case f.Kind() == reflect.Slice && !f.IsNil():
			kept := reflect.MakeSlice(f.Type(), 0, f.Len())
			for i := range f.Len() {
				if !later(f.Index(i), v) {
					kept = reflect.Append(kept, f.Index(i))
					forget(kept.Index(kept.Len()-1), v)
				}
			}
			f.Set(kept)
		}
	}
}

// later reports whether a fact was recorded after a version.
func later(fact reflect.Value, v int64) bool {
	at := fact.FieldByName("V")
	return at.IsValid() && at.CanInt() && at.Int() > v
}

// datedTypes remembers what dated has found out: an order has the same types every time.
var datedTypes sync.Map

// dated reports whether values of a type carry a version, or hold something that does.
func dated(t reflect.Type) bool {
	if known, ok := datedTypes.Load(t); ok {
		return known.(bool)
	}
	is := false
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		is = t.Elem().Kind() == reflect.Struct && dated(t.Elem())
	case reflect.Struct:
		_, is = t.FieldByName("V")
		is = is || slices.ContainsFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool { return f.IsExported() && dated(f.Type) })
	}
	datedTypes.Store(t, is)
	return is
}
