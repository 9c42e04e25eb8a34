package dev.tidestream.server.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.console.StandardInput;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.server.app.ModelFiles;
import dev.tidestream.server.cli.options.ModelOption;
import dev.tidestream.server.cli.terminal.JsonText;
import dev.tidestream.server.cli.terminal.Table;

/** {@code tokenize}: text to token ids, as {@code generate} gives them to the model. */
@Command(
        name = "tokenize",
        description = "Show the tokens of a text.",
        footer = {
            "",
            "Examples:",
            "  tidestream tokenize \"Once upon a time\"                  one token per line: id, text or name",
            "  tidestream tokenize --ids -m model.gguf < story.txt     the ids in one line",
            "  tidestream tokenize --json --no-special \"Hello\"         {\"text\":…,\"tokens\":[…],\"pieces\":[…]}",
        })
final class TokenizeCommand implements Callable<Integer> {
    private static final int PIECE_CHARS = 200;

    @Parameters(index = "0", arity = "0..1", paramLabel = "TEXT", description = "The text (default: standard input).")
    private @Nullable String text;

    @Mixin
    private final ModelOption model = new ModelOption();

    @Option(names = "--no-special", fallbackValue = "true", description = "Add no BOS token, whatever the model asks for.")
    private boolean noSpecial;

    @Option(names = "--parse-special", fallbackValue = "true",
            description = "Take names of control tokens, such as <|endoftext|>, for those tokens; also --special (default: they are text).")
    private boolean parseSpecial;

    @Option(names = "--special", fallbackValue = "true", hidden = true)
    void setSpecial(boolean value) {
        parseSpecial |= value;
    }

    @Option(names = "--ids", fallbackValue = "true", description = "Print the token ids alone, in one line.")
    private boolean ids;

    @Option(names = "--json", fallbackValue = "true", description = "Print one JSON object: text, tokens, pieces.")
    private boolean json;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        try (ModelSource gguf = model.open()) {
            Tokenizer tokenizer = ModelFiles.tokenizer(gguf);
            String input = text == null ? StandardInput.text() : text;
            int[] tokens = noSpecial
                    ? tokenizer.encode(input, false, parseSpecial)
                    : tokenizer.encodePrompt(input, parseSpecial);
            if (json) {
                out.println(json(tokenizer, input, tokens));
            } else if (ids) {
                out.println(Arrays.stream(tokens).mapToObj(Integer::toString).collect(Collectors.joining(" ")));
            } else {
                Table table = new Table(">ID", "TEXT");
                for (int token : tokens) {
                    table.row(token, Printable.quoted(tokenizer.tokenText(token), PIECE_CHARS));
                }
                table.print(out);
            }
        }
        return 0;
    }

    private static String json(Tokenizer tokenizer, String input, int[] tokens) {
        return JsonText.object(json -> {
            json.writeStringField("text", input);
            JsonText.integers(json, "tokens", tokens);
            json.writeArrayFieldStart("pieces");
            for (int token : tokens) {
                json.writeString(tokenizer.tokenText(token));
            }
            json.writeEndArray();
        });
    }
}
