package dev.tidestream.server.chat.jinja.run;

import java.math.BigInteger;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.Budget;
import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.value.Arguments;
import dev.tidestream.server.chat.jinja.value.Arithmetic;
import dev.tidestream.server.chat.jinja.value.Dict;
import dev.tidestream.server.chat.jinja.value.Lazy;
import dev.tidestream.server.chat.jinja.value.Operators;
import dev.tidestream.server.chat.jinja.value.Printing;
import dev.tidestream.server.chat.jinja.value.Sequence;
import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.Value;
import dev.tidestream.server.chat.jinja.value.Values;

/** Tests: {@code value is name(…)}. */
final class Tests {
    private static final Set<String> NAMES = Set.of(
            "boolean", "callable", "defined", "divisibleby", "eq", "==", "equalto", "escaped", "even", "false", "filter", "float", "ge", ">=",
            "gt", ">", "greaterthan", "in", "integer", "iterable", "le", "<=", "lower", "lt", "<", "lessthan", "mapping", "ne", "!=", "none",
            "number", "odd", "sameas", "sequence", "string", "test", "true", "undefined", "upper");

    private Tests() {}

    /** Whether a value passes; a name that is not known is an error. */
    static boolean apply(String name, Value value, Arguments arguments, Rendering runtime) {
        Budget budget = runtime.budget();
        return switch (name) {
            case "divisibleby" -> zero(Arithmetic.of("%", value, one(name, arguments, "num")));
            case "eq", "==", "equalto" -> compare("==", value, one(name, arguments, "other"), budget);
            case "ne", "!=" -> compare("!=", value, one(name, arguments, "other"), budget);
            case "lt", "<", "lessthan" -> compare("<", value, one(name, arguments, "other"), budget);
            case "le", "<=" -> compare("<=", value, one(name, arguments, "other"), budget);
            case "gt", ">", "greaterthan" -> compare(">", value, one(name, arguments, "other"), budget);
            case "ge", ">=" -> compare(">=", value, one(name, arguments, "other"), budget);
            case "in" -> Operators.contains(one(name, arguments, "seq"), value, budget);
            case "sameas" -> same(value, one(name, arguments, "other"), budget);
            default -> {
                Boolean passed = plain(name, value, budget);
                if (passed == null) {
                    throw TemplateException.runtime("No test named '" + name + "'");
                }
                arguments.bind("the test '" + name + "'", 0);
                yield passed;
            }
        };
    }

    /** Tests that take nothing; null for no such test. */
    private static @Nullable Boolean plain(String name, Value value, Budget budget) {
        return switch (name) {
            case "boolean" -> (Boolean) (value instanceof Value.Bool);
            case "callable" -> (Boolean) (value instanceof Value.Undefined || (value instanceof Value.Instance instance && instance.callable()));
            case "defined" -> (Boolean) !(value instanceof Value.Undefined);
            case "undefined" -> (Boolean) (value instanceof Value.Undefined);
            case "escaped" -> (Boolean) (value instanceof Text text && text.safe());
            case "even" -> (Boolean) zero(Arithmetic.of("%", value, Value.Int.of(2)));
            case "odd" -> (Boolean) Operators.equal(Arithmetic.of("%", value, Value.Int.of(2)), Value.Int.of(1), budget);
            case "true" -> (Boolean) (value == Value.Bool.TRUE);
            case "false" -> (Boolean) (value == Value.Bool.FALSE);
            case "none" -> (Boolean) (value instanceof Value.None);
            case "float" -> (Boolean) (value instanceof Value.Real);
            case "integer" -> (Boolean) (value instanceof Value.Int);
            case "number" -> (Boolean) Operators.isNumber(value);
            case "string" -> (Boolean) (value instanceof Text);
            case "mapping" -> (Boolean) (value instanceof Dict);
            case "iterable" -> (Boolean) Values.iterable(value);
            case "sequence" -> (Boolean) (Values.iterable(value) && !(value instanceof Lazy)
                    && !(value instanceof Sequence sequence && !sequence.kind().indexed()));
            case "lower" -> (Boolean) TextTests.isLower(Printing.text(value, budget).chars());
            case "upper" -> (Boolean) TextTests.isUpper(Printing.text(value, budget).chars());
            case "filter" -> (Boolean) (value instanceof Text text && Filters.known(text.chars()));
            case "test" -> (Boolean) (value instanceof Text text && NAMES.contains(text.chars()));
            default -> null;
        };
    }

    private static Value one(String name, Arguments arguments, String parameter) {
        Value value = arguments.bind("the test '" + name + "'", 1, parameter)[0];
        if (value == null) {
            throw new IllegalStateException("a required argument is there");
        }
        return value;
    }

    private static boolean zero(Value value) {
        BigInteger integer = Values.asInteger(value);
        return integer != null ? integer.signum() == 0 : value instanceof Value.Real(double real) && real == 0;
    }

    private static boolean same(Value a, Value b, Budget budget) {
        boolean scalar = a instanceof Text || Operators.isNumber(a) || a instanceof Value.None || a instanceof Value.Undefined;
        return scalar ? a.getClass() == b.getClass() && Operators.equal(a, b, budget) : a == b;
    }

    /** One step of a comparison. */
    static boolean compare(String operator, Value left, Value right, Budget budget) {
        return switch (operator) {
            case "==" -> Operators.equal(left, right, budget);
            case "!=" -> !Operators.equal(left, right, budget);
            case "in" -> Operators.contains(right, left, budget);
            case "not in" -> !Operators.contains(right, left, budget);
            default -> ordered(operator, left, right, budget);
        };
    }

    private static boolean ordered(String operator, Value left, Value right, Budget budget) {
        int order = Operators.compare(left, right, budget);
        boolean unordered = nan(left) || nan(right);
        return !unordered && switch (operator) {
            case "<" -> order < 0;
            case "<=" -> order <= 0;
            case ">" -> order > 0;
            case ">=" -> order >= 0;
            default -> throw new IllegalArgumentException("not an operator: " + operator);
        };
    }

    private static boolean nan(Value value) {
        return value instanceof Value.Real(double real) && Double.isNaN(real);
    }
}
