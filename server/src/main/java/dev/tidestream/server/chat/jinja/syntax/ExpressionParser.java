package dev.tidestream.server.chat.jinja.syntax;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.Position;
import dev.tidestream.server.chat.jinja.syntax.Expression.Keyword;
import dev.tidestream.server.chat.jinja.syntax.Expression.Operand;
import dev.tidestream.server.chat.jinja.syntax.Expression.Passed;
import dev.tidestream.server.chat.jinja.syntax.Token.Kind;

/**
 * Expressions. One method for each level of precedence, weakest first: {@code if else}, {@code or}, {@code and}, {@code not}, comparisons
 * and {@code in}, {@code + -}, {@code ~}, {@code * / // %}, {@code **}, signs; then what stands behind a value: {@code . [] ()}, filters
 * and tests. This is Jinja's order, which is not Python's: <code>-x|f</code> is <code>(-x)|f</code>. One thread.
 */
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final TokenStream tokens;
    private final PrimaryParser primaries;

    ExpressionParser(TokenStream tokens) {
        this.tokens = tokens;
        this.primaries = new PrimaryParser(tokens, this);
    }

    /** Collects the names of what is read from now on; gives those of the outer macro back. */
    Set<String> collectNames(Set<String> into) {
        return primaries.collectNames(into);
    }

    Expression expression() {
        tokens.enter();
        Expression value = or();
        while (tokens.current().isName("if")) {
            Position at = tokens.next().at();
            Expression test = or();
            Expression otherwise = tokens.skipName("else") ? expression() : null;
            value = new Expression.Conditional(at, test, value, otherwise);
        }
        tokens.leave();
        return value;
    }

    /** Several with commas between are a tuple. */
    Expression tuple(boolean conditional, String... endNames) {
        Position at = tokens.current().at();
        List<Expression> items = new ArrayList<>();
        boolean tuple = false;
        while (true) {
            if (tuple && endsTuple(endNames)) {
                break;
            }
            items.add(conditional ? expression() : or());
            if (!tokens.skipOperator(",")) {
                break;
            }
            tuple = true;
        }
        return tuple ? new Expression.ListLiteral(at, items, true) : items.getFirst();
    }

    private boolean endsTuple(String... endNames) {
        Token token = tokens.current();
        if (token.is(Kind.PRINT_END) || token.is(Kind.BLOCK_END) || token.isOperator(")")) {
            return true;
        }
        for (String name : endNames) {
            if (token.isName(name)) {
                return true;
            }
        }
        return false;
    }

    /** {@code print a, b}: one after the other. */
    Expression printed(Position at) {
        List<Expression> parts = new ArrayList<>();
        do {
            parts.add(expression());
        } while (tokens.skipOperator(","));
        return parts.size() == 1 ? parts.getFirst() : new Expression.Concatenation(at, parts);
    }

    private Expression or() {
        Expression left = and();
        while (tokens.current().isName("or")) {
            Position at = tokens.next().at();
            left = new Expression.Or(at, left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (tokens.current().isName("and")) {
            Position at = tokens.next().at();
            left = new Expression.And(at, left, not());
        }
        return left;
    }

    private Expression not() {
        if (!tokens.current().isName("not")) {
            return comparison();
        }
        tokens.enter();
        Position at = tokens.next().at();
        Expression operand = not();
        tokens.leave();
        return new Expression.Not(at, operand);
    }

    private Expression comparison() {
        Position at = tokens.current().at();
        Expression first = sum();
        List<Operand> rest = new ArrayList<>();
        while (true) {
            Token token = tokens.current();
            if (token.is(Kind.OPERATOR) && COMPARISONS.contains(token.text())) {
                tokens.next();
                rest.add(new Operand(token.text(), sum()));
            } else if (tokens.skipName("in")) {
                rest.add(new Operand("in", sum()));
            } else if (token.isName("not") && tokens.look().isName("in")) {
                tokens.next();
                tokens.next();
                rest.add(new Operand("not in", sum()));
            } else {
                return rest.isEmpty() ? first : new Expression.Comparison(at, first, rest);
            }
        }
    }

    private Expression sum() {
        Expression left = concatenation();
        while (tokens.current().isOperator("+") || tokens.current().isOperator("-")) {
            Token operator = tokens.next();
            left = new Expression.Arithmetic(operator.at(), operator.text(), left, concatenation());
        }
        return left;
    }

    private Expression concatenation() {
        Position at = tokens.current().at();
        List<Expression> parts = new ArrayList<>();
        do {
            parts.add(product());
        } while (tokens.skipOperator("~"));
        return parts.size() == 1 ? parts.getFirst() : new Expression.Concatenation(at, parts);
    }

    private Expression product() {
        Expression left = power();
        while (true) {
            Token operator = tokens.current();
            if (!operator.is(Kind.OPERATOR) || !Set.of("*", "/", "//", "%").contains(operator.text())) {
                return left;
            }
            tokens.next();
            left = new Expression.Arithmetic(operator.at(), operator.text(), left, power());
        }
    }

    private Expression power() {
        Expression left = unary(true);
        while (tokens.current().isOperator("**")) {
            Position at = tokens.next().at();
            left = new Expression.Arithmetic(at, "**", left, unary(true));
        }
        return left;
    }

    private Expression unary(boolean filters) {
        Token token = tokens.current();
        Expression value;
        if (token.isOperator("-") || token.isOperator("+")) {
            tokens.enter();
            tokens.next();
            value = new Expression.Sign(token.at(), unary(false), token.text().equals("-"));
            tokens.leave();
        } else {
            value = primaries.primary();
        }
        value = postfix(value);
        return filters ? filters(value) : value;
    }

    Expression postfix(Expression value) {
        Expression all = value;
        while (true) {
            Token token = tokens.current();
            if (token.isOperator(".")) {
                all = member(all);
            } else if (token.isOperator("[")) {
                all = subscript(all);
            } else if (token.isOperator("(")) {
                all = new Expression.Call(token.at(), all, passed());
            } else {
                return all;
            }
        }
    }

    private Expression member(Expression target) {
        tokens.next();
        Token token = tokens.next();
        if (token.is(Kind.NAME)) {
            return new Expression.Attribute(token.at(), target, token.text());
        }
        if (token.is(Kind.INTEGER)) {
            return new Expression.Item(token.at(), target, new Expression.Literal(token.at(), PrimaryParser.integer(token)));
        }
        throw TokenStream.error("expected name or number, got " + token.describe(), token.at());
    }

    private Expression subscript(Expression target) {
        Position at = tokens.next().at();
        Expression from = tokens.current().isOperator(":") ? null : expression();
        Expression value;
        if (tokens.skipOperator(":")) {
            Expression to = bound();
            Expression step = tokens.skipOperator(":") ? bound() : null;
            value = new Expression.Slice(at, target, from, to, step);
        } else if (from != null) {
            value = new Expression.Item(at, target, tokens.current().isOperator(",") ? key(at, from) : from);
        } else {
            throw tokens.error("expected subscript expression");
        }
        tokens.expectOperator("]");
        return value;
    }

    private Expression key(Position at, Expression first) {
        List<Expression> parts = new ArrayList<>(List.of(first));
        while (tokens.skipOperator(",")) {
            parts.add(expression());
        }
        return new Expression.ListLiteral(at, parts, true);
    }

    private @Nullable Expression bound() {
        return tokens.current().isOperator(":") || tokens.current().isOperator("]") ? null : expression();
    }

    private Expression filters(Expression value) {
        Expression all = value;
        while (true) {
            Token token = tokens.current();
            if (token.isOperator("|")) {
                all = filter(all);
            } else if (token.isName("is")) {
                all = test(all);
            } else if (token.isOperator("(")) {
                all = new Expression.Call(token.at(), all, passed());
            } else {
                return all;
            }
        }
    }

    /** From the {@code |} on. */
    private Expression filter(@Nullable Expression target) {
        tokens.expectOperator("|");
        return namedFilter(target);
    }

    private Expression namedFilter(@Nullable Expression target) {
        Position at = tokens.current().at();
        String name = dotted();
        return new Expression.Filter(at, target, name, tokens.current().isOperator("(") ? passed() : Passed.NOTHING);
    }

    /** Filters of a block's text: {@code trim | upper}; those of {@code set} begin with a {@code |}. */
    Expression blockFilters(boolean begun) {
        Expression all = begun ? namedFilter(null) : filter(null);
        while (tokens.current().isOperator("|")) {
            all = filter(all);
        }
        return all;
    }

    private String dotted() {
        StringBuilder name = new StringBuilder(tokens.expect(Kind.NAME).text());
        while (tokens.skipOperator(".")) {
            name.append('.').append(tokens.expect(Kind.NAME).text());
        }
        return name.toString();
    }

    private Expression test(Expression target) {
        tokens.next();
        boolean negated = tokens.skipName("not");
        Position at = tokens.current().at();
        String name = dotted();
        Token token = tokens.current();
        Passed passed = Passed.NOTHING;
        if (token.isOperator("(")) {
            passed = passed();
        } else if (token.is(Kind.STRING) || token.is(Kind.INTEGER) || token.is(Kind.REAL) || token.isOperator("[") || token.isOperator("{")
                || (token.is(Kind.NAME) && !Set.of("else", "or", "and").contains(token.text()))) {
            if (token.isName("is")) {
                throw tokens.error("You cannot chain multiple tests with is");
            }
            passed = new Passed(List.of(postfix(primaries.primary())), List.of(), null, null);
        }
        Expression test = new Expression.Test(at, target, name, passed);
        return negated ? new Expression.Not(at, test) : test;
    }

    /** What is passed, with its parentheses. */
    Passed passed() {
        Position open = tokens.current().at();
        tokens.expectOperator("(");
        List<Expression> positional = new ArrayList<>();
        List<Keyword> keywords = new ArrayList<>();
        Expression list = null;
        Expression dict = null;
        while (!tokens.current().isOperator(")")) {
            boolean valid = dict == null;
            if (tokens.skipOperator("**")) {
                dict = expression();
            } else if (tokens.skipOperator("*")) {
                valid &= list == null;
                list = expression();
            } else if (tokens.current().is(Kind.NAME) && tokens.look().isOperator("=")) {
                String name = tokens.next().text();
                tokens.next();
                valid &= keywords.stream().noneMatch(keyword -> keyword.name().equals(name));
                keywords.add(new Keyword(name, expression()));
            } else {
                valid &= list == null && keywords.isEmpty();
                positional.add(expression());
            }
            if (!valid) {
                throw TokenStream.error("invalid syntax for function call expression", open);
            }
            if (!tokens.current().isOperator(")")) {
                tokens.expectOperator(",");
            }
        }
        tokens.expectOperator(")");
        return new Passed(positional, keywords, list, dict);
    }
}
