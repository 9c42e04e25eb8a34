package dev.tidestream.server.huggingface.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.Tokenizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Small folders: what is refused and in which words, and whose word counts. */
class FolderTokenizerTest {
    private static final String MODEL = "'model':{'type':'BPE','vocab':{'a':0,'b':1,'ab':2},'merges':['a b']}";
    private static final String DECODER = "'decoder':{'type':'Fuse'}";
    private static final String ADDED = "'added_tokens':[{'id':3,'content':'<s>','special':true,'normalized':false},"
            + "{'id':4,'content':'</s>','special':true,'normalized':false},{'id':5,'content':'<|x|>','special':false,'normalized':false}]";

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '~', quoteCharacter = '`', value = {
        "{MODEL,DECODER,'normaliser':null}~normaliser: not understood: null",
        "{MODEL,'decoder':null}~decoder: not understood: null",
        "{MODEL,DECODER,'normalizer':{'type':'Nmt'}}~normalizer.type: not understood: \"Nmt\"",
        "{MODEL,DECODER,'normalizer':{'type':'NFC','x':1}}~normalizer.x: not understood: 1",
        "{MODEL,DECODER,'pre_tokenizer':{'type':'BertPreTokenizer'}}~pre_tokenizer.type: not understood: \"BertPreTokenizer\"",
        "{MODEL,DECODER,'pre_tokenizer':{'type':'Split','pattern':{'Regex':'(?>a)'},'behavior':'Isolated','invert':false}}"
                + "~pre_tokenizer.pattern.Regex: regular expression not understood: this kind of group is not understood, at=2, "
                + "expression='(?>a)'",
        "{MODEL,DECODER,'post_processor':{'type':'Other'}}~post_processor.type: not understood: \"Other\"",
        "{MODEL,'decoder':{'type':'WordPiece'}}~decoder.type: not understood: \"WordPiece\"",
        "{DECODER,'model':{'type':'WordPiece','vocab':{'a':0}}}~model.type: not understood: \"WordPiece\"",
        "{DECODER,'model':{'type':'BPE','dropout':0.1,'vocab':{'a':0},'merges':[]}}~model.dropout: not understood: 0.1",
        "{DECODER,'model':{'type':'BPE','vocab':{'a':0},'merges':['a b']}}"
                + "~model.merges[0]: not a token of the vocabulary: 'b', merge='a b'",
        "{DECODER,'model':{'type':'BPE','vocab':{'a':0,'b':0},'merges':[]}}~vocabulary: two tokens with one id: id=0, texts='a' and 'b'",
        "{DECODER}~model: missing",
        "{DECODER,'model':{'type':'Unigram','unk_id':7,'vocab':[['a',-1]]}}~model.unk_id: not in the vocabulary: id=7, tokens=1",
        "{DECODER,'model':{'type':'Unigram','unk_id':-1,'vocab':[['a',-1]]}}~model.unk_id: not in the vocabulary: id=-1, tokens=1",
        "{DECODER,'model':{'type':'Unigram','unk_id':0,'vocab':[['a',-1],['b',-2],['a',-3]]}}"
                + "~model.vocab: two tokens with one text: ids=0 and 2, text='a'",
        "{DECODER,'model':{'type':'BPE','vocab':{'a':0,'b':-1},'merges':[]}}~vocabulary: token id: id=-1, limit=2097152, text='b'",
        "{MODEL,DECODER,'added_tokens':[{'id':2097152,'content':'x'}]}~vocabulary: token id: id=2097152, limit=2097152, text='x'",
        "{MODEL,DECODER,'added_tokens':[{'id':9999999999,'content':'x'}]}~added_tokens[0].id: not understood: 9999999999",
        "{MODEL,DECODER,'added_tokens':[{'id':2,'content':'x'}]}~vocabulary: two tokens with one id: id=2, texts='ab' and 'x'",
        "{MODEL,DECODER,'added_tokens':[{'id':9,'content':'ab'}]}"
                + "~added_tokens: another id than in the vocabulary: id=9, vocabulary=2, content='ab'",
        "{MODEL,DECODER,'post_processor':{'type':'BertProcessing','cls':['x',9],'sep':['x',1]}}"
                + "~post_processor.cls[1]: not in the vocabulary: id=9, tokens=3",
        "{MODEL,DECODER,'pre_tokenizer':{'type':'Metaspace','replacement':''}}~pre_tokenizer.replacement: not understood: \"\"",
        "{MODEL,DECODER,'pre_tokenizer':{'type':'Split','pattern':{'Regex':'(a{0,1000}){0,1000}'}}}"
                + "~pre_tokenizer.pattern.Regex: regular expression too large: instructions>20000, expression='(a{0,1000}){0,1000}'"
    })
    void shouldRefuseByKeyAndValue(String json, String message) throws IOException {
        write("tokenizer.json", json.replace("MODEL", MODEL).replace("DECODER", DECODER));
        String refusal = String.valueOf(assertThrows(TokenizerException.class, () -> FolderTokenizer.read(folder)).getMessage());
        assertTrue(refusal.startsWith(folder.toString()) && refusal.endsWith(" " + message), refusal);
    }

    @Test
    void shouldNameWhatAFolderNeeds() {
        assertEquals(folder + ": no tokenizer: expected tokenizer.json, tokenizer.model, or vocab.json and merges.txt",
                assertThrows(TokenizerException.class, () -> FolderTokenizer.read(folder)).getMessage());
    }

    @Test
    void shouldPutBosInFrontWhereTheConfigurationSaysSo() throws IOException {
        write("tokenizer.json", "{" + MODEL + "," + DECODER + "," + ADDED + "}");
        write("tokenizer_config.json", "{'bos_token':'<s>','eos_token':{'content':'</s>'},'add_bos_token':true,'add_eos_token':true}");
        write("generation_config.json", "{'eos_token_id':[4,5,99]}");
        Tokenizer tokenizer = tokenizer();
        assertArrayEquals(new int[] {3, 2, 4}, tokenizer.encode("ab", true, false));
        assertArrayEquals(new int[] {3, 2}, tokenizer.encodePrompt("ab", false), "nothing follows an end");
        assertArrayEquals(new int[] {3, 2}, tokenizer.encodePrompt("<s>ab", true));
        assertTrue(tokenizer.isEndOfGeneration(4) && tokenizer.isEndOfGeneration(5));
        assertEquals("<s>", tokenizer.tokenText(3));
    }

    @Test
    void shouldTakeWhatLooksLikeAControlTokenForOne() throws IOException {
        write("tokenizer.json", "{" + MODEL + "," + DECODER + "," + ADDED + "}");
        assertArrayEquals(new int[] {0, 5}, tokenizer().encode("a<|x|>", false, true));
        assertArrayEquals(new int[] {0}, tokenizer().encode("a<|x|>", false, false), "characters without a token are left out");
    }

    private Tokenizer tokenizer() throws IOException {
        return Tokenizers.of(FolderTokenizer.read(folder));
    }

    private void write(String name, String json) throws IOException {
        Files.writeString(folder.resolve(name), json.replace('\'', '"'));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', quoteCharacter = '`', value = {
        "config.json~{'eos_token_id':7}~eos_token_id: not in the vocabulary: id=7, tokens=3",
        "generation_config.json~{'bos_token_id':[3]}~bos_token_id: not in the vocabulary: id=3, tokens=3",
        "generation_config.json~{'eos_token_id':[1,'2']}~eos_token_id[1]: not understood: \"2\"",
        "config.json~{'text_config':{'eos_token_id':-2}}~text_config.eos_token_id: not understood: -2",
        "config.json~{'llm_config':{'bos_token_id':1.5}}~llm_config.bos_token_id: not understood: 1.5",
        "tokenizer_config.json~{'added_tokens_decoder':{'-1':{'content':'x'}}}~added_tokens_decoder.-1: not understood: "
        + "{\"content\":\"x\"}",
        "tokenizer_config.json~[[[~tokenizer_config.json: not JSON: Unexpected end-of-input"
    })
    void shouldRefuseWhatStandsBesideIt(String file, String json, String message) throws IOException {
        write("tokenizer.json", "{" + MODEL + "," + DECODER + "}");
        write(file, json);
        String refusal = String.valueOf(assertThrows(TokenizerException.class, () -> FolderTokenizer.read(folder)).getMessage());
        assertTrue(refusal.contains(message), refusal);
    }

    @ParameterizedTest
    @CsvSource({"text_config", "language_config", "llm_config"})
    void shouldEndWithTokensOfTheTextModel(String key) throws IOException {
        write("tokenizer.json", "{" + MODEL + "," + DECODER + "," + ADDED + "}");
        write("config.json", "{'eos_token_id':-1,'bos_token_id':null,'" + key + "':{'eos_token_id':[1,4]}}");
        assertTrue(tokenizer().isEndOfGeneration(1) && tokenizer().isEndOfGeneration(4));
        assertTrue(FolderTokenizer.read(folder).specials().bos().isEmpty());
    }

    @ParameterizedTest
    @CsvSource({"tokenizer.json", "tokenizer_config.json", "generation_config.json", "config.json", "special_tokens_map.json"})
    void shouldRefuseWhatIsNoFile(String name) throws IOException {
        write("tokenizer.json", "{" + MODEL + "," + DECODER + "}");
        Files.deleteIfExists(folder.resolve(name));
        Files.createDirectory(folder.resolve(name));
        assertEquals(folder.resolve(name) + ": a directory or device, not a file",
                assertThrows(TokenizerException.class, () -> FolderTokenizer.read(folder)).getMessage());
        Files.delete(folder.resolve(name));
        Files.createSymbolicLink(folder.resolve(name), Path.of("/dev/zero"));
        assertThrows(TokenizerException.class, () -> FolderTokenizer.read(folder));
        Files.delete(folder.resolve(name));
    }

    /** The depth of JSON is bounded, and so is what it becomes. */
    @Test
    void shouldRefuseDeepOrManyValues() throws IOException {
        write("tokenizer.json", "{" + MODEL + "," + DECODER + ",'normalizer':" + "[".repeat(100_000) + "}");
        assertThrows(TokenizerException.class, () -> FolderTokenizer.read(folder));
        write("tokenizer.json", "{" + MODEL + "," + DECODER + ",'normalizer':[" + "[],".repeat(5_000_000) + "0]}");
        String refusal = String.valueOf(assertThrows(TokenizerException.class, () -> FolderTokenizer.read(folder)).getMessage());
        assertTrue(refusal.contains("8388608"), refusal);
    }

    /** 200 normalizers that double a text would make it 2²⁰⁰ times as long. */
    @Test
    void shouldRefuseNormalizersThatBlowATextUp() throws IOException {
        String doubling = "{'type':'Replace','pattern':{'String':'a'},'content':'aa'},";
        write("tokenizer.json", "{" + MODEL + "," + DECODER + ",'normalizer':{'type':'Sequence','normalizers':["
                + doubling.repeat(20) + "{'type':'NFC'}]}}");
        assertEquals("normalizers may make a text too long: times=8192 or more, limit=4096",
                assertThrows(TokenizerException.class, () -> FolderTokenizer.read(folder)).getMessage());
    }

    /** What matches nothing puts its text in at every place, and steps put characters in front of every word. */
    @Test
    void shouldCountWhatIsPutInBetween() throws IOException {
        String between = "{'type':'Replace','pattern':{'Regex':'b*'},'content':'x'},";
        write("tokenizer.json", "{" + MODEL + "," + DECODER + ",'normalizer':{'type':'Sequence','normalizers':["
                + between.repeat(13) + "{'type':'NFC'}]}}");
        assertEquals("normalizers may make a text too long: times=8192 or more, limit=4096",
                assertThrows(TokenizerException.class, () -> FolderTokenizer.read(folder)).getMessage());
        String twice = "{'type':'Metaspace','replacement':'_','prepend_scheme':'always','split':false},";
        write("tokenizer.json", "{" + MODEL + "," + DECODER + ",'pre_tokenizer':{'type':'Sequence','pretokenizers':["
                + twice.repeat(13) + "{'type':'Punctuation'}]}}");
        assertEquals("steps of the pre-tokenizer may make a text too long: times=8192 or more, limit=4096",
                assertThrows(TokenizerException.class, () -> FolderTokenizer.read(folder)).getMessage());
    }

    @Test
    void shouldNameThePatternThatIsTooLong() throws IOException {
        write("tokenizer.json", "{" + MODEL + "," + DECODER + ",'pre_tokenizer':{'type':'Split','pattern':{'String':'"
                + "a".repeat(20_000) + "'},'behavior':'Removed','invert':false}}");
        String refusal = String.valueOf(assertThrows(TokenizerException.class, () -> FolderTokenizer.read(folder)).getMessage());
        assertTrue(refusal.contains("pattern.String") && refusal.contains("instructions>20000"), refusal);
    }
}
