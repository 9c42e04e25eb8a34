package dev.tidestream.server.huggingface.tokenizer;

import java.util.ArrayList;
import java.util.List;

import dev.tidestream.model.tokenizer.pretokenizer.NamedPreTokenizer;
import dev.tidestream.model.tokenizer.pretokenizer.PreTokenizer;
import dev.tidestream.model.tokenizer.pretokenizer.Step;
import dev.tidestream.model.tokenizer.regex.Regex;

/** Reads {@code pre_tokenizer}. */
final class PreTokenizerPart {
    private static final String NUMBER = "\\p{N}";
    private static final String ASCII_PUNCTUATION = "!-/:-@\\[-`{-~";

    private final TokenizerSettings settings;
    private final List<Step> steps = new ArrayList<>();
    private boolean byteLevel;

    private PreTokenizerPart(TokenizerSettings settings) {
        this.settings = settings;
    }

    /**
     * The steps, and whether what they give is written with GPT-2's alphabet then.
     *
     * @param steps in order
     */
    record Read(List<Step> steps, boolean byteLevel) {
        PreTokenizer preTokenizer() {
            return new PreTokenizer(steps);
        }
    }

    static Read read(Part part, TokenizerSettings settings) {
        PreTokenizerPart reader = new PreTokenizerPart(settings);
        if (!part.isNull()) {
            reader.add(part, true);
        }
        return new Read(reader.steps, reader.byteLevel);
    }

    private void add(Part part, boolean outermost) {
        if (byteLevel) {
            throw part.refusal(); // it would see bytes in place of the text
        }
        switch (part.type()) {
            case "Sequence" -> part.only("type", "pretokenizers").at("pretokenizers").elements().forEach(each -> add(each, false));
            case "ByteLevel" -> byteLevel(part.only("type", "add_prefix_space", "trim_offsets", "use_regex"), outermost);
            case "Split" -> steps.add(new Step.Split(
                    PatternPart.read(part.only("type", "pattern", "behavior", "invert").at("pattern")),
                    behavior(part, "Removed"),
                    part.bool("invert", false)));
            case "Digits" -> steps.add(Step.Split.isolated(
                    part.only("type", "individual_digits").bool("individual_digits", false) ? NUMBER : NUMBER + "+"));
            case "Punctuation" -> steps.add(new Step.Split(
                    Regex.compile("[\\p{P}" + ASCII_PUNCTUATION + "]"), behavior(part.only("type", "behavior"), "Isolated"), false));
            case "Whitespace" -> steps.add(new Step.Split(
                    Regex.compile("\\w+|[^\\w\\s]+"), only(part, Step.Behavior.REMOVED), true));
            case "WhitespaceSplit" -> steps.add(new Step.Split(Regex.compile("\\s"), only(part, Step.Behavior.REMOVED), false));
            case "CharDelimiterSplit" -> steps.add(new Step.Split(
                    PatternPart.literal(part.only("type", "delimiter"), "delimiter"), Step.Behavior.REMOVED, false));
            case "Metaspace" -> steps.add(metaspace(part));
            default -> throw part.at("type").refusal();
        }
    }

    private static Step.Behavior only(Part part, Step.Behavior behavior) {
        part.only("type");
        return behavior;
    }

    /** A ByteLevel that stands alone has its prefix space from tokenizer_config.json, if that says anything. */
    private void byteLevel(Part part, boolean outermost) {
        byteLevel = true;
        boolean prefix = part.bool("add_prefix_space", true);
        if (outermost ? settings.addPrefixSpace().orElse(prefix) : prefix) {
            steps.add(new Step.PrefixSpace());
        }
        if (part.bool("use_regex", true)) {
            steps.add(NamedPreTokenizer.named("gpt-2").orElseThrow().preTokenizer().steps().getFirst());
        }
    }

    private static Step.Behavior behavior(Part part, String byDefault) {
        return switch (part.findText("behavior").orElse(byDefault)) {
            case "Removed" -> Step.Behavior.REMOVED;
            case "Isolated" -> Step.Behavior.ISOLATED;
            case "MergedWithPrevious" -> Step.Behavior.MERGED_WITH_PREVIOUS;
            case "MergedWithNext" -> Step.Behavior.MERGED_WITH_NEXT;
            case "Contiguous" -> Step.Behavior.CONTIGUOUS;
            default -> throw part.at("behavior").refusal();
        };
    }

    private static Step metaspace(Part part) {
        part.only("type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep");
        Step.Prefix prefix = prefix(part);
        String replacement = part.text("replacement");
        if (replacement.codePointCount(0, replacement.length()) != 1) {
            throw part.at("replacement").refusal();
        }
        return new Step.Metaspace(replacement, prefix, part.bool("split", true));
    }

    /** {@code prepend_scheme}, or what older files have. */
    static Step.Prefix prefix(Part part) {
        String byDefault = part.bool("add_prefix_space", true) ? "always" : "never";
        return switch (part.findText("prepend_scheme").orElse(byDefault)) {
            case "always" -> Step.Prefix.EVERYWHERE;
            case "first" -> Step.Prefix.FIRST;
            case "never" -> Step.Prefix.NOWHERE;
            default -> throw part.at("prepend_scheme").refusal();
        };
    }
}
