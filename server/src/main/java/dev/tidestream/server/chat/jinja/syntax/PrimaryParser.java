package dev.tidestream.server.chat.jinja.syntax;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import dev.tidestream.server.chat.jinja.base.Position;
import dev.tidestream.server.chat.jinja.syntax.Token.Kind;
import dev.tidestream.server.chat.jinja.value.Operators;
import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.Value;

/** What expressions are made of: literals, names, brackets. One thread. */
final class PrimaryParser {
    private final TokenStream tokens;
    private final ExpressionParser expressions;
    private Set<String> names = new HashSet<>(); // that the innermost macro speaks of

    PrimaryParser(TokenStream tokens, ExpressionParser expressions) {
        this.tokens = tokens;
        this.expressions = expressions;
    }

    Set<String> collectNames(Set<String> into) {
        Set<String> outer = names;
        names = into;
        return outer;
    }

    /** A literal, a name, or what stands in brackets. */
    Expression primary() {
        Token token = tokens.next();
        return switch (token.kind()) {
            case NAME -> name(token);
            case STRING -> string(token);
            case INTEGER -> new Expression.Literal(token.at(), integer(token));
            case REAL -> new Expression.Literal(token.at(), new Value.Real(Double.parseDouble(token.text())));
            case OPERATOR -> switch (token.text()) {
                case "(" -> parentheses(token.at());
                case "[" -> list(token.at());
                case "{" -> dict(token.at());
                default -> throw TokenStream.error("unexpected " + token.describe(), token.at());
            };
            case DATA, PRINT_BEGIN, PRINT_END, BLOCK_BEGIN, BLOCK_END, END ->
                throw TokenStream.error("Expected an expression, got " + token.describe(), token.at());
        };
    }

    private Expression name(Token token) {
        return switch (token.text()) {
            case "true", "True" -> new Expression.Literal(token.at(), Value.Bool.TRUE);
            case "false", "False" -> new Expression.Literal(token.at(), Value.Bool.FALSE);
            case "none", "None" -> new Expression.Literal(token.at(), Value.None.NONE);
            default -> {
                names.add(token.text());
                yield new Expression.Name(token.at(), token.text());
            }
        };
    }

    /** Strings side by side are one. */
    private Expression string(Token first) {
        StringBuilder text = new StringBuilder(first.text());
        while (tokens.current().is(Kind.STRING)) {
            text.append(tokens.next().text());
        }
        return new Expression.Literal(first.at(), Text.of(text.toString()));
    }

    static Value integer(Token token) {
        String digits = token.text();
        int radix = digits.length() < 3 ? 10 : switch (digits.charAt(1)) {
            case 'x', 'X' -> 16;
            case 'o', 'O' -> 8;
            case 'b', 'B' -> 2;
            default -> 10;
        };
        if (digits.length() > 1300) {
            throw TokenStream.error("a number with too many digits: digits=" + digits.length(), token.at());
        }
        return Operators.integer(new BigInteger(radix == 10 ? digits : digits.substring(2), radix));
    }

    private Expression parentheses(Position at) {
        if (tokens.skipOperator(")")) {
            return new Expression.ListLiteral(at, List.of(), true);
        }
        Expression value = expressions.tuple(true);
        tokens.expectOperator(")");
        return value;
    }

    private Expression list(Position at) {
        List<Expression> items = new ArrayList<>();
        while (!tokens.current().isOperator("]")) {
            if (!items.isEmpty()) {
                tokens.expectOperator(",");
                if (tokens.current().isOperator("]")) {
                    break;
                }
            }
            items.add(expressions.expression());
        }
        tokens.expectOperator("]");
        return new Expression.ListLiteral(at, items, false);
    }

    private Expression dict(Position at) {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.current().isOperator("}")) {
            if (!keys.isEmpty()) {
                tokens.expectOperator(",");
                if (tokens.current().isOperator("}")) {
                    break;
                }
            }
            keys.add(expressions.expression());
            tokens.expectOperator(":");
            values.add(expressions.expression());
        }
        tokens.expectOperator("}");
        return new Expression.DictLiteral(at, keys, values);
    }
}
