package dev.tidestream.server.chat.jinja.syntax;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import dev.tidestream.server.chat.jinja.base.Position;
import dev.tidestream.server.chat.jinja.base.TemplateLimits;
import dev.tidestream.server.chat.jinja.syntax.Statement.Branch;
import dev.tidestream.server.chat.jinja.syntax.Statement.MacroBody;
import dev.tidestream.server.chat.jinja.syntax.Statement.Target;
import dev.tidestream.server.chat.jinja.syntax.Token.Kind;

/** Statements: a template becomes a tree. One use, one thread. */
public final class Parser {
    private static final Set<String> OF_OTHER_TEMPLATES = Set.of("include", "import", "from", "extends", "block", "autoescape", "do", "trans");
    private static final Set<String> CONSTANTS = Set.of("true", "True", "false", "False", "none", "None");

    private final TokenStream tokens;
    private final ExpressionParser expressions;
    private int loops; // around the place, up to the innermost macro

    private Parser(TokenStream tokens) {
        this.tokens = tokens;
        this.expressions = new ExpressionParser(tokens);
    }

    /**
     * The statements of a template.
     *
     * @throws dev.tidestream.server.chat.jinja.base.TemplateException if it is none, or longer or deeper than it may be
     */
    public static List<Statement> parse(String template, TemplateLimits limits) {
        return new Parser(new TokenStream(template, limits)).statements();
    }

    /** Up to a tag of one of these names, which is then current, or to the end of the template if there are none. */
    private List<Statement> statements(String... ends) {
        tokens.enter();
        List<Statement> body = new ArrayList<>();
        while (true) {
            Token token = tokens.next();
            switch (token.kind()) {
                case DATA -> body.add(new Statement.Data(token.text()));
                case PRINT_BEGIN -> {
                    body.add(new Statement.Print(tokens.current().at(), expressions.tuple(true)));
                    tokens.expect(Kind.PRINT_END);
                }
                case BLOCK_BEGIN -> {
                    for (String end : ends) {
                        if (tokens.current().isName(end)) {
                            tokens.leave();
                            return body;
                        }
                    }
                    body.add(statement());
                    tokens.expect(Kind.BLOCK_END);
                }
                case END -> {
                    if (ends.length > 0) {
                        throw TokenStream.error("Unexpected end of template, expected the tag '" + String.join("' or '", ends) + "'", token.at());
                    }
                    return body;
                }
                case PRINT_END, BLOCK_END, NAME, STRING, INTEGER, REAL, OPERATOR ->
                    throw TokenStream.error("unexpected " + token.describe(), token.at());
            }
        }
    }

    /** A body after the rest of a tag, and the name of the tag that ends it. */
    private List<Statement> block(String end) {
        List<Statement> body = body(end);
        tokens.expectName(end);
        return body;
    }

    private List<Statement> body(String... ends) {
        tokens.skipOperator(":");
        tokens.expect(Kind.BLOCK_END);
        return statements(ends);
    }

    private Statement statement() {
        Token tag = tokens.expect(Kind.NAME);
        return switch (tag.text()) {
            case "if" -> ifStatement();
            case "for" -> forStatement(tag.at());
            case "set" -> assignment(tag.at());
            case "macro" -> new Statement.Macro(tokens.current().text(), macro(tag.at()));
            case "call" -> callBlock(tag.at());
            case "filter" -> new Statement.FilterBlock(tag.at(), expressions.blockFilters(true), block("endfilter"));
            case "with" -> with(tag.at());
            case "generation" -> new Statement.Generation(block("endgeneration"));
            case "print" -> new Statement.Print(tag.at(), expressions.printed(tag.at()));
            case "break" -> {
                inLoop(tag);
                yield new Statement.Break(tag.at());
            }
            case "continue" -> {
                inLoop(tag);
                yield new Statement.Continue(tag.at());
            }
            default -> throw TokenStream.error(OF_OTHER_TEMPLATES.contains(tag.text())
                    ? "the tag '" + tag.text() + "' is not supported in a chat template"
                    : "Encountered unknown tag '" + tag.text() + "'", tag.at());
        };
    }

    private void inLoop(Token tag) {
        if (loops == 0) {
            throw TokenStream.error("'" + tag.text() + "' outside of a loop", tag.at());
        }
    }

    private Statement ifStatement() {
        List<Branch> branches = new ArrayList<>();
        List<Statement> otherwise = List.of();
        do {
            Expression test = expressions.tuple(false);
            branches.add(new Branch(test, body("elif", "else", "endif")));
        } while (tokens.skipName("elif"));
        if (tokens.skipName("else")) {
            otherwise = body("endif");
        }
        tokens.expectName("endif");
        return new Statement.If(branches, otherwise);
    }

    private Statement forStatement(Position at) {
        Target target = targets(false, "in");
        tokens.expectName("in");
        Expression items = expressions.tuple(false, "recursive");
        Expression condition = tokens.skipName("if") ? expressions.expression() : null;
        boolean recursive = tokens.skipName("recursive");
        loops++;
        List<Statement> body = body("else", "endfor");
        loops--;
        List<Statement> otherwise = tokens.skipName("else") ? body("endfor") : List.of();
        tokens.expectName("endfor");
        return new Statement.For(at, target, items, condition, body, otherwise, recursive);
    }

    private Statement assignment(Position at) {
        Target target = targets(true);
        if (tokens.skipOperator("=")) {
            return new Statement.Assign(at, target, expressions.tuple(true));
        }
        Expression filter = tokens.current().isOperator("|") ? expressions.blockFilters(false) : null;
        return new Statement.AssignBlock(at, target, filter, block("endset"));
    }

    private Statement with(Position at) {
        List<Target> targets = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.current().is(Kind.BLOCK_END)) {
            if (!targets.isEmpty()) {
                tokens.expectOperator(",");
            }
            targets.add(target(false));
            tokens.expectOperator("=");
            values.add(expressions.expression());
        }
        return new Statement.With(at, targets, values, block("endwith"));
    }

    private MacroBody macro(Position at) {
        variable();
        return macroBody(at, "endmacro");
    }

    private Statement callBlock(Position at) {
        List<String> parameters = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        if (tokens.current().isOperator("(")) {
            parameters(parameters, defaults);
        }
        Expression call = expressions.expression();
        if (!(call instanceof Expression.Call)) {
            throw TokenStream.error("expected call", at);
        }
        MacroBody body = body(at, parameters, defaults, "endcall");
        return new Statement.CallBlock(at, body, call);
    }

    private MacroBody macroBody(Position at, String end) {
        List<String> parameters = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        parameters(parameters, defaults);
        return body(at, parameters, defaults, end);
    }

    private MacroBody body(Position at, List<String> parameters, List<Expression> defaults, String end) {
        int outerLoops = loops;
        loops = 0;
        Set<String> names = new HashSet<>();
        Set<String> outerNames = expressions.collectNames(names);
        List<Statement> body = block(end);
        expressions.collectNames(outerNames);
        outerNames.addAll(names);
        loops = outerLoops;
        return new MacroBody(at, parameters, defaults, body, names.contains("varargs"), names.contains("kwargs"), names.contains("caller"));
    }

    private void parameters(List<String> parameters, List<Expression> defaults) {
        tokens.expectOperator("(");
        while (!tokens.current().isOperator(")")) {
            if (!parameters.isEmpty()) {
                tokens.expectOperator(",");
            }
            Token name = variable();
            if (parameters.contains(name.text())) {
                throw TokenStream.error("the parameter '" + name.text() + "' is there twice", name.at());
            }
            parameters.add(name.text());
            if (tokens.skipOperator("=")) {
                defaults.add(expressions.expression());
            } else if (name.text().equals("caller")) {
                throw TokenStream.error("the parameter 'caller' needs a default", name.at());
            } else if (!defaults.isEmpty()) {
                throw tokens.error("non-default argument follows default argument");
            }
        }
        tokens.expectOperator(")");
    }

    private Token variable() {
        Token name = tokens.expect(Kind.NAME);
        if (CONSTANTS.contains(name.text())) {
            throw TokenStream.error("can't assign to '" + name.text() + "'", name.at());
        }
        return name;
    }

    /** Several with commas between, up to a name or the end of the tag. */
    private Target targets(boolean members, String... ends) {
        Position at = tokens.current().at();
        List<Target> targets = new ArrayList<>(List.of(target(members)));
        boolean several = false;
        while (tokens.skipOperator(",")) {
            several = true;
            Token token = tokens.current();
            if (token.is(Kind.BLOCK_END) || token.isOperator(")") || (ends.length > 0 && token.isName(ends[0]))) {
                break;
            }
            targets.add(target(members));
        }
        return several ? new Target.Several(at, targets) : targets.getFirst();
    }

    private Target target(boolean members) {
        if (tokens.current().isOperator("(")) {
            tokens.enter();
            tokens.next();
            Target inner = targets(members);
            tokens.expectOperator(")");
            tokens.leave();
            return inner;
        }
        Token name = variable();
        if (members && tokens.skipOperator(".")) {
            return new Target.Member(name.at(), name.text(), tokens.expect(Kind.NAME).text());
        }
        if (name.text().equals("loop") && !members) {
            throw TokenStream.error("Can't assign to special loop variable", name.at());
        }
        return new Target.Variable(name.text());
    }
}
