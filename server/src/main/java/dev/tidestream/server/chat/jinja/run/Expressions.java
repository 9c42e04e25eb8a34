package dev.tidestream.server.chat.jinja.run;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.Budget;
import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.syntax.Expression;
import dev.tidestream.server.chat.jinja.syntax.Expression.Operand;
import dev.tidestream.server.chat.jinja.syntax.Expression.Passed;
import dev.tidestream.server.chat.jinja.value.Arguments;
import dev.tidestream.server.chat.jinja.value.Arithmetic;
import dev.tidestream.server.chat.jinja.value.Dict;
import dev.tidestream.server.chat.jinja.value.Operators;
import dev.tidestream.server.chat.jinja.value.Printing;
import dev.tidestream.server.chat.jinja.value.Sequence;
import dev.tidestream.server.chat.jinja.value.Slicing;
import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.TextBuilder;
import dev.tidestream.server.chat.jinja.value.Value;
import dev.tidestream.server.chat.jinja.value.Values;

/** Evaluates expressions. One rendering, one thread. */
final class Expressions {
    private final Rendering runtime;
    private final Budget budget;

    Expressions(Rendering runtime) {
        this.runtime = runtime;
        this.budget = runtime.budget();
    }

    /** The value of an expression; what goes wrong has its place. */
    Value evaluate(Expression expression, Scope scope) {
        try {
            budget.enter();
            Value value = value(expression, scope);
            budget.leave();
            return value;
        } catch (TemplateException e) {
            throw e.at(expression.at());
        }
    }

    private Value value(Expression expression, Scope scope) {
        return switch (expression) {
            case Expression.Literal(var _, Value value) -> value;
            case Expression.Name(var _, String name) -> orUndefined(scope.find(name), "'" + name + "' is undefined");
            case Expression.ListLiteral(var _, var items, boolean tuple) ->
                Sequence.of(tuple ? Sequence.Kind.TUPLE : Sequence.Kind.LIST, all(items, scope));
            case Expression.DictLiteral literal -> dict(literal, scope);
            case Expression.Not(var _, var operand) -> Value.Bool.of(!Values.truth(evaluate(operand, scope)));
            case Expression.Sign sign -> sign(sign, scope);
            case Expression.And(var _, var left, var right) -> {
                Value first = evaluate(left, scope);
                yield Values.truth(first) ? evaluate(right, scope) : first;
            }
            case Expression.Or(var _, var left, var right) -> {
                Value first = evaluate(left, scope);
                yield Values.truth(first) ? first : evaluate(right, scope);
            }
            case Expression.Arithmetic(var _, String operator, var left, var right) ->
                arithmetic(operator, evaluate(left, scope), evaluate(right, scope));
            case Expression.Concatenation(var _, var parts) -> {
                TextBuilder out = new TextBuilder(budget);
                all(parts, scope).forEach(part -> Printing.print(part, out, budget));
                yield out.build();
            }
            case Expression.Comparison comparison -> Value.Bool.of(compared(comparison, scope));
            case Expression.Conditional conditional -> conditional(conditional, scope);
            case Expression.Attribute(var _, var target, String name) -> Access.attribute(evaluate(target, scope), name, runtime);
            case Expression.Item(var _, var target, var key) -> Access.item(evaluate(target, scope), evaluate(key, scope), runtime);
            case Expression.Slice slice -> Slicing.slice(evaluate(slice.target(), scope), optional(slice.from(), scope),
                    optional(slice.to(), scope), optional(slice.step(), scope), budget);
            case Expression.Call(var _, var target, Passed passed) -> {
                Value function = evaluate(target, scope);
                yield Access.call(function, arguments(passed, scope));
            }
            case Expression.Filter filter -> {
                if (filter.target() == null) {
                    throw TemplateException.runtime("the filter '" + filter.name() + "' has nothing to filter");
                }
                yield Filters.apply(filter.name(), evaluate(filter.target(), scope), arguments(filter.passed(), scope), runtime);
            }
            case Expression.Test(var _, var target, String name, Passed passed) ->
                Value.Bool.of(Tests.apply(name, evaluate(target, scope), arguments(passed, scope), runtime));
        };
    }

    /** What the filters of a block make of its text. */
    Value filtered(Expression filters, Text text, Scope scope) {
        if (!(filters instanceof Expression.Filter filter)) {
            return text;
        }
        Value target = filter.target() == null ? text : filtered(filter.target(), text, scope);
        try {
            return Filters.apply(filter.name(), target, arguments(filter.passed(), scope), runtime);
        } catch (TemplateException e) {
            throw e.at(filter.at());
        }
    }

    /** What a call gives that is handed a block as {@code caller}. */
    Value called(Expression expression, Value caller, Scope scope) {
        if (!(expression instanceof Expression.Call call)) {
            throw TemplateException.runtime("a call block needs a call").at(expression.at());
        }
        Value function = evaluate(call.target(), scope);
        Arguments passed = arguments(call.passed(), scope);
        Map<String, Value> named = new LinkedHashMap<>(passed.named());
        named.put("caller", caller);
        try {
            return Access.call(function, new Arguments(passed.positional(), named));
        } catch (TemplateException e) {
            throw e.at(call.at());
        }
    }

    private List<Value> all(List<Expression> expressions, Scope scope) {
        List<Value> values = new ArrayList<>(expressions.size());
        for (Expression expression : expressions) {
            values.add(evaluate(expression, scope));
        }
        return values;
    }

    private @Nullable Value optional(@Nullable Expression expression, Scope scope) {
        return expression == null ? null : evaluate(expression, scope);
    }

    private Value dict(Expression.DictLiteral literal, Scope scope) {
        Dict dict = new Dict();
        for (int i = 0; i < literal.keys().size(); i++) {
            dict.put(evaluate(literal.keys().get(i), scope), evaluate(literal.values().get(i), scope));
        }
        return dict;
    }

    private Value sign(Expression.Sign sign, Scope scope) {
        Value operand = Values.defined(evaluate(sign.operand(), scope));
        Value negative = Operators.negate(operand);
        if (negative == null) {
            throw TemplateException.runtime("bad operand type for unary " + (sign.negative() ? "-" : "+") + ": '" + Values.typeName(operand) + "'");
        }
        Value positive = operand instanceof Value.Bool ? Operators.negate(negative) : operand;
        return sign.negative() || positive == null ? negative : positive;
    }

    private Value arithmetic(String operator, Value left, Value right) {
        return switch (operator) {
            case "+" -> Operators.add(left, right, budget);
            case "*" -> Operators.multiply(left, right, budget);
            case "%" -> Operators.modulo(left, right, budget);
            default -> Arithmetic.of(operator, left, right);
        };
    }

    private boolean compared(Expression.Comparison comparison, Scope scope) {
        Value left = evaluate(comparison.first(), scope);
        for (Operand operand : comparison.rest()) {
            Value right = evaluate(operand.value(), scope);
            if (!Tests.compare(operand.operator(), left, right, budget)) {
                return false;
            }
            left = right;
        }
        return true;
    }

    private Value conditional(Expression.Conditional conditional, Scope scope) {
        if (Values.truth(evaluate(conditional.test(), scope))) {
            return evaluate(conditional.then(), scope);
        }
        return orUndefined(optional(conditional.otherwise(), scope),
                "the inline if-expression evaluated to false and no else section was defined");
    }

    private Arguments arguments(Passed passed, Scope scope) {
        List<Value> positional = all(passed.positional(), scope);
        Map<String, Value> named = new LinkedHashMap<>();
        passed.keywords().forEach(keyword -> named.put(keyword.name(), evaluate(keyword.value(), scope)));
        if (passed.list() != null) {
            positional.addAll(Values.iterate(evaluate(passed.list(), scope), budget));
        }
        if (passed.dict() != null) {
            if (!(evaluate(passed.dict(), scope) instanceof Dict dict)) {
                throw TemplateException.runtime("argument after ** must be a mapping");
            }
            for (Dict.Entry entry : dict.entries()) {
                if (!(entry.key() instanceof Text name) || named.put(name.chars(), entry.value()) != null) {
                    throw TemplateException.runtime("keywords must be strings, each of them once");
                }
            }
        }
        return new Arguments(positional, named);
    }

    private static Value orUndefined(@Nullable Value value, String reason) {
        return value != null ? value : new Value.Undefined(reason);
    }
}
