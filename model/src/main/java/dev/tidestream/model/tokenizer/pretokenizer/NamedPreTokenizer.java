package dev.tidestream.model.tokenizer.pretokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What GGUF files call a pre-tokenizer ({@code tokenizer.ggml.pre}). Names and what goes with them are llama.cpp's; the expressions are
 * those of the models' tokenizer.json, which llama.cpp has to approximate where std::regex lacks classes.
 *
 * @param names equal ones, the one that is written first
 * @param expressions each cuts the words of the one before, every match a word
 * @param ignoresMerges a word that is a token is that token, however merges would have built it
 * @param addsBos BOS is put in front where the file does not say
 * @param composes the model's texts were composed (NFC), which GGUF has no key for
 */
public record NamedPreTokenizer(
        List<String> names, List<String> expressions, boolean ignoresMerges, boolean addsBos, boolean composes) {

    private static final Pattern ESCAPE = Pattern.compile("\\\\u([0-9A-F]{4})|\\\\x\\{([0-9A-F]+)}");
    private static final String CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private static final String UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
    private static final String LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
    private static final String NO_LETTER = "[^\\r\\n\\p{L}\\p{N}]?";
    private static final String SPACES = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private static final String EAST_ASIAN = "[\\u4E00-\\u9FA5\\u0800-\\u4E00\\uAC00-\\uD7FF]+";
    private static final String WORDS_OF_BLOOM = " ?[^(\\s|[.,!?\\u2026\\u3002\\uFF0C\\u3001\\u0964\\u06D4\\u060C])]+";

    /** Letters with a case, as DeepSeek's tokenizer lists them. */
    private static final String CASED_LETTERS = "A-Za-z\\u00B5\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u01BA\\u01BC-\\u01BF\\u01C4-\\u0293"
            + "\\u0295-\\u02AF\\u0370-\\u0373\\u0376\\u0377\\u037B-\\u037D\\u037F\\u0386\\u0388-\\u038A\\u038C\\u038E-\\u03A1"
            + "\\u03A3-\\u03F5\\u03F7-\\u0481\\u048A-\\u052F\\u0531-\\u0556\\u10A0-\\u10C5\\u13A0-\\u13F5\\u13F8-\\u13FD\\u1C90-\\u1CBA"
            + "\\u1CBD-\\u1CBF\\u1D00-\\u1D2B\\u1D6B-\\u1D77\\u1D79-\\u1D9A\\u1E00-\\u1F15\\u1F18-\\u1F1D\\u1F20-\\u1F45\\u1F48-\\u1F4D"
            + "\\u1F50-\\u1F57\\u1F59\\u1F5B\\u1F5D\\u1F5F-\\u1F7D\\u1F80-\\u1FB4\\u1FB6-\\u1FBC\\u1FBE\\u1FC2-\\u1FC4\\u1FC6-\\u1FCC"
            + "\\u1FD0-\\u1FD3\\u1FD6-\\u1FDB\\u1FE0-\\u1FEC\\u1FF2-\\u1FF4\\u1FF6-\\u1FFC\\u2102\\u2107\\u210A-\\u2113\\u2115"
            + "\\u2119-\\u211D\\u2124\\u2126\\u2128\\u212A-\\u212D\\u212F-\\u2134\\u2139\\u213C-\\u213F\\u2145-\\u2149\\u214E\\u2183\\u2184"
            + "\\u2C00-\\u2C7B\\u2C7E-\\u2CE4\\u2CEB-\\u2CEE\\u2CF2\\u2CF3\\uA640-\\uA66D\\uA680-\\uA69B\\uA722-\\uA76F\\uA771-\\uA787"
            + "\\uA78B-\\uA78E\\uAB70-\\uABBF\\uFB00-\\uFB06\\uFB13-\\uFB17\\uFF21-\\uFF3A\\uFF41-\\uFF5A\\x{10400}-\\x{1044F}"
            + "\\x{104B0}-\\x{104D3}\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}\\x{10CC0}-\\x{10CF2}\\x{118A0}-\\x{118DF}\\x{1E900}-\\x{1E943}";

    private static final List<NamedPreTokenizer> ALL = new Catalogue().all;

    /** Words that change from capital to small letters, as in GPT-4o; {@code suffix} is what may follow them. */
    private static String cased(String upper, String lower, String suffix, String numbers, String breaks) {
        return NO_LETTER + upper + "*" + lower + "+" + suffix + "|" + NO_LETTER + upper + "+" + lower + "*" + suffix
                + "|" + numbers + "| ?[^\\s\\p{L}\\p{N}]+" + breaks + "*|" + SPACES;
    }

    /** The table, while it is put together. */
    private static final class Catalogue {
        private final List<NamedPreTokenizer> all = new ArrayList<>();

        Catalogue() {
            add("default", "[\\p{P}\\$\\+<=>\\^~\\|]+", WordScanner.GPT2, "\\p{N}+", "[0-9][0-9][0-9]");
            add("gpt-2, phi-2, jais, trillion, granite-docling, gigachat, a.x-4.0, mellum, modern-bert, exaone4, jina-es, jina-de, "
                    + "jina-v2-es, jina-v2-de", WordScanner.GPT2);
            add(false, false, true, "olmo, mpt", WordScanner.GPT2);
            add(true, true, false, "llama-bpe, llama3, llama-v3, falcon3, falcon-h1, pixtral, midm-2.0, lfm2", WordScanner.LLAMA3);
            add("dbrx, smaug-bpe, glm4, chatglm-bpe", WordScanner.LLAMA3);
            add(false, false, true, "qwen2, deepseek-r1-qwen, megrez, kormo, f2llmv2", WordScanner.QWEN2);
            add("stablelm2, hunyuan, solar-open, grok-2", WordScanner.QWEN2);
            add(false, false, true, "qwen35", CONTRACTION + "|" + NO_LETTER + "[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|"
                    + SPACES);
            add("smollm, starcoder, refact, command-r, codeshell, exaone, minerva-7b, mellum2", "\\p{N}", WordScanner.GPT2);
            add("falcon", "[\\p{P}\\$\\+<=>\\^~\\|`]+", WordScanner.GPT2, "[0-9][0-9][0-9]");
            add("deepseek-llm", "[\r\n]", "\\s?[" + CASED_LETTERS + "]+",
                    "\\s?[!-/:-~\\uFF01-\\uFF0F\\uFF1A-\\uFF5E\\u2018-\\u201F\\u3000-\\u3002]+", "\\s+$", EAST_ASIAN, "\\p{N}+");
            add("deepseek-coder", "[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", EAST_ASIAN, "\\p{N}");
            add("deepseek-v3, hunyuan-dense, joyai-llm", "\\p{N}{1,3}", "[\\u4E00-\\u9FA5\\u3040-\\u309F\\u30A0-\\u30FF]+",
                    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
                            + "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+");
            add(true, true, false, "tekken", cased(UPPER, LOWER, "", "\\p{N}", "[\\r\\n/]"));
            add("gpt-4o, llama4, kanana2, minimax-m2", cased(UPPER, LOWER, CONTRACTION + "?", "\\p{N}{1,3}", "[\\r\\n/]"));
            add("tiny_aya, cohere2moe", "\\d{1,3}(?=(?:\\d{3})*\\b)",
                    cased(UPPER, LOWER, CONTRACTION + "?", "\\p{N}{1,3}", "[\\r\\n/]"));
            add("kimi-k2", "[\\p{Han}]+|" + cased(notHan(UPPER), notHan(LOWER), CONTRACTION + "?", "\\p{N}{1,3}", "[\\r\\n]"));
            add("superbpe", "\\p{N}+", "(?=(\\d{3})+(?!\\d))");
            add("bailingmoe, bailingmoe2, llada-moe", "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}"
                    + "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+");
            add("seed-coder", CONTRACTION + "|" + NO_LETTER + "\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+");
            add("exaone-moe", CONTRACTION + "|" + NO_LETTER + "(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}"
                    + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+");
            add("bloom, poro-chat, gpt3-finnish", WORDS_OF_BLOOM);
            add("viking", WORDS_OF_BLOOM, "\\p{N}");
            add("jais-2", WordScanner.LLAMA3.replace("\\s+(?!\\S)|\\s+", "\\s{512}(?!\\S)|\\s{256}(?!\\S)|\\s{128}(?!\\S)|\\s{64}(?!\\S)"
                    + "|\\s{32}(?!\\S)|\\s{16}(?!\\S)|\\s{8}(?!\\S)|\\s{4}(?!\\S)|\\s{1,2}(?!\\S)|\\s{1}"));
            add(true, false, false, "minicpm5", "\\p{N}{1,3}", WordScanner.LLAMA3.replace("\\p{N}{1,3}", "\\p{N}+"));
        }

        private static String notHan(String set) {
            return set.substring(0, set.length() - 1) + "&&[^\\p{Han}]]";
        }

        private void add(String names, String... expressions) {
            add(false, false, false, names, expressions);
        }

        private void add(boolean ignoresMerges, boolean addsBos, boolean composes, String names, String... expressions) {
            all.add(new NamedPreTokenizer(List.of(names.split(", ", -1)), List.of(expressions), ignoresMerges, addsBos, composes));
        }
    }

    /** All of them. */
    public static List<NamedPreTokenizer> all() {
        return ALL;
    }

    /** All names, for a message. */
    public static String allNames() {
        return ALL.stream().flatMap(each -> each.names.stream()).collect(Collectors.joining(", "));
    }

    /** The one of that name. */
    public static Optional<NamedPreTokenizer> named(String name) {
        return ALL.stream().filter(each -> each.names.contains(name)).findFirst();
    }

    /**
     * Those that cut alike, however they are used.
     *
     * @param steps of a pre-tokenizer
     */
    public static List<NamedPreTokenizer> cuttingLike(List<Step> steps) {
        List<String> wanted = new ArrayList<>();
        for (Step step : steps) {
            if (!(step instanceof Step.Split split) || split.behavior() != Step.Behavior.ISOLATED || split.inverted()) {
                return List.of();
            }
            wanted.add(plain(split.pattern().expression()));
        }
        return ALL.stream().filter(each -> each.expressions.stream().map(NamedPreTokenizer::plain).toList().equals(wanted)).toList();
    }

    /** An expression with characters for their numbers, so that two ways to write one are equal. */
    private static String plain(String expression) {
        String characters = ESCAPE.matcher(expression).replaceAll(match -> Matcher.quoteReplacement(
                Character.toString(Integer.parseInt(match.group(1) == null ? match.group(2) : match.group(1), 16))));
        return characters.replace("\\r", "\r").replace("\\n", "\n");
    }

    public PreTokenizer preTokenizer() {
        return new PreTokenizer(expressions.stream().map(Step.Split::isolated).map(Step.class::cast).toList());
    }
}
