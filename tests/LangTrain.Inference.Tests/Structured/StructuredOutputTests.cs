using System.Text;
using System.Text.Json;
using LangTrain.Inference.Structured;

namespace LangTrain.Inference.Tests.Structured;

public class StructuredOutputTests
{
    private const string Person = """
        {"type":"object","properties":{
            "name":{"type":"string","minLength":1,"maxLength":5},
            "age":{"type":"integer","minimum":0,"maximum":120},
            "mood":{"enum":["good","b\"ad",3,null]},
            "tags":{"type":"array","items":{"type":"string","maxLength":2},"minItems":1,"maxItems":3},
            "child":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},
         "required":["name","child"],"additionalProperties":false}
        """;

    [Theory]
    [InlineData(Person, """{"name":"Ada","age":36,"child":null}""", true)]
    [InlineData(Person, """{"name":"é☃😀\"\\","child":{"name":"x","child":null}}""", true)]
    [InlineData(Person, """{"name":"Ada","mood":"b\"ad","tags":["a","b"],"child":null}""", true)]
    [InlineData(Person, "{\n  \"name\": \"Ada\",\n  \"child\": null\n}", true)]
    [InlineData(Person, """{"name":"","child":null}""", false)]
    [InlineData(Person, """{"name":"Adaxxx","child":null}""", false)]
    [InlineData(Person, """{"name":"Ada"}""", false)]
    [InlineData(Person, """{"name":"Ada","age":121,"child":null}""", false)]
    [InlineData(Person, """{"name":"Ada","age":-1,"child":null}""", false)]
    [InlineData(Person, """{"name":"Ada","tags":[],"child":null}""", false)]
    [InlineData(Person, """{"name":"Ada","tags":["a","b","c","d"],"child":null}""", false)]
    [InlineData(Person, """{"name":"Ada","mood":"bad","child":null}""", false)]
    [InlineData(Person, """{"name":"Ada","other":1,"child":null}""", false)]
    [InlineData("""{"type":"number"}""", "-0.5e10", true)]
    [InlineData("""{"type":"number"}""", "01", false)]
    [InlineData("""{"type":"number","minimum":-2,"maximum":3}""", "-1.99", true)]
    [InlineData("""{"type":"number","minimum":-2,"maximum":3}""", "-2.5", false)]
    [InlineData("""{"type":"number","minimum":-2,"maximum":3}""", "3.1", false)]
    [InlineData("""{"type":"number","minimum":-2,"maximum":3}""", "0.25", true)]
    [InlineData("""{"type":"number","maximum":-2}""", "-2.5", true)]
    [InlineData("""{"type":"number","maximum":-2}""", "-1", false)]
    [InlineData("""{"type":"number","exclusiveMinimum":0}""", "0", false)]
    [InlineData("""{"type":"number","exclusiveMinimum":0}""", "0.00", false)]
    [InlineData("""{"type":"number","exclusiveMinimum":0}""", "0.001", true)]
    [InlineData("""{"type":"number","exclusiveMinimum":0}""", "-0.5", false)]
    [InlineData("""{"type":"number","exclusiveMinimum":-2,"exclusiveMaximum":1}""", "-1.75", true)]
    [InlineData("""{"type":"number","exclusiveMinimum":-2,"exclusiveMaximum":1}""", "-2", false)]
    [InlineData("""{"type":"number","exclusiveMinimum":-2,"exclusiveMaximum":1}""", "0.99", true)]
    [InlineData("""{"type":"number","exclusiveMinimum":-2,"exclusiveMaximum":1}""", "1", false)]
    [InlineData("""{"type":"number","exclusiveMaximum":0}""", "-0.0", false)]
    [InlineData("""{"type":"number","exclusiveMaximum":0}""", "-0.3", true)]
    [InlineData("""{"type":"integer","exclusiveMinimum":3,"maximum":5.5}""", "4", true)]
    [InlineData("""{"type":"integer","exclusiveMinimum":3,"maximum":5.5}""", "3", false)]
    [InlineData("""{"type":"string","format":"duration"}""", "\"P3DT4H\"", true)]
    [InlineData("""{"type":"string","format":"duration"}""", "\"P\"", false)]
    [InlineData("""{"type":"string","format":"ipv6"}""", "\"2001:db8:0:0:0:0:0:1\"", true)]
    [InlineData("""{"type":"string","format":"uri"}""", "\"https://example.com/a/b\"", true)]
    [InlineData("""{"type":"string","pattern":"^[A-Z]{2}-\\d+$"}""", "\"AB-123\"", true)]
    [InlineData("""{"type":"string","pattern":"^[A-Z]{2}-\\d+$"}""", "\"ab-1\"", false)]
    [InlineData("""{"type":"string","pattern":"cat|^dog"}""", "\"a cat.\"", true)]
    [InlineData("""{"type":"string","pattern":"cat|^dog"}""", "\"hot dog\"", false)]
    [InlineData("""{"type":"string","pattern":"^(?:a|b)*[^a-z\\n]$"}""", "\"abab\\\"\"", true)]
    [InlineData("""{"type":"string","format":"date-time"}""", "\"2026-02-28T23:59:59Z\"", true)]
    [InlineData("""{"type":"string","format":"date"}""", "\"2026-02-30\"", false)]
    [InlineData("""{"type":"array","prefixItems":[{"type":"integer"},{"type":"boolean"}],"items":false,"minItems":1}""", "[1]", true)]
    [InlineData("""{"type":"array","prefixItems":[{"type":"integer"},{"type":"boolean"}],"items":false,"minItems":1}""", "[1,true,2]", false)]
    [InlineData("""{"type":["string","null"],"enum":["a",null,7]}""", "7", false)]
    [InlineData("""{"type":"object","additionalProperties":{"type":"integer"}}""", """{"a":1, "b":2}""", true)]
    [InlineData("""{"type":"object","additionalProperties":{"type":"integer"}}""", """{"a":"1"}""", false)]
    [InlineData("""{"type":"object","properties":{"a":{},"b":{},"c":{}},"required":["b"]}""", """{"b":[{"x":null}],"c":1}""", true)]
    [InlineData("""{"type":"object","properties":{"a":{},"b":{},"c":{}},"required":["b"]}""", """{"c":1}""", false)]
    public void A_text_is_accepted_exactly_when_the_schema_allows_it(string schema, string text, bool expected)
    {
        var grammar = new Grammar();
        var state = SchemaReader.Read(grammar, JsonDocument.Parse(schema).RootElement);
        foreach (var value in Encoding.UTF8.GetBytes(text))
            state = grammar.Next(state, value);
        Assert.Equal(expected, state.IsNullable);
    }

    [Fact]
    public void Integer_bounds_hold_for_every_number_nearby()
    {
        var random = new Random(1);
        for (var round = 0; round < 60; round++)
        {
            long a = random.Next(-1500, 1500), b = a + random.Next(0, 1200);
            var grammar = new Grammar();
            var start = IntegerRange.Between(grammar, a, b);
            for (var n = a - 15; n <= b + 15; n++)
            {
                var state = start;
                foreach (var c in n.ToString(System.Globalization.CultureInfo.InvariantCulture))
                    state = grammar.Next(state, (byte)c);
                Assert.True(state.IsNullable == (n >= a && n <= b), $"{n} in {a}..{b}");
            }
        }
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"multipleOf":3,"type":"integer"}}}""", "multipleOf")]
    [InlineData("""{"type":"array","uniqueItems":true}""", "uniqueItems")]
    [InlineData("""{"type":"string","pattern":"(?=x)"}""", "pattern")]
    [InlineData("""{"type":"string","format":"iri"}""", "format")]
    [InlineData("""{"$ref":"other.json"}""", "$ref")]
    [InlineData("""{"$defs":{"a":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}""", "$ref")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}""", "schema")]
    [InlineData("""{"oneOf":[{"type":"string"},{"type":"string","maxLength":3}]}""", "oneOf")]
    [InlineData("""{"type":"object","properties":5}""", "schema")]
    [InlineData("""{"not":{"type":"string"}}""", "not")]
    public void What_cannot_be_held_to_is_refused_by_name(string schema, string keyword)
    {
        var refused = Assert.Throws<UnsupportedSchemaException>(() => SchemaReader.Read(new Grammar(), JsonDocument.Parse(schema).RootElement));
        Assert.Equal(keyword, refused.Keyword);
    }

    [Fact]
    public void A_schema_made_to_exhaust_the_process_is_refused()
    {
        var wide = "{\"type\":\"object\",\"properties\":{" + string.Join(',', Enumerable.Range(0, 20_000).Select(i => $"\"property{i}\":{{}}")) + "}}";
        var literal = JsonSerializer.Serialize(new { @const = new string('x', 500_000) });
        var pattern = JsonSerializer.Serialize(new { type = "string", pattern = new string('(', 50_000) });
        foreach (var schema in new[] { wide, literal, pattern })
        {
            Exception? thrown = null;
            var thread = new Thread(() => thrown = Record.Exception(() => SchemaReader.Read(new Grammar(), JsonDocument.Parse(schema).RootElement)), 1 << 20);
            thread.Start();
            thread.Join();
            Assert.IsType<UnsupportedSchemaException>(thrown);
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(Person)]
    public void Whatever_tokens_are_drawn_the_answer_is_whole_within_its_limit(string? schema)
    {
        var vocabulary = Vocabulary();
        var trie = new TokenTrie(vocabulary.Count, id => vocabulary[id]);
        const int End = 0;
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var grammar = new Grammar();
            var json = new JsonPieces(grammar);
            var start = schema is null ? json.Map(json.Value) : SchemaReader.Read(grammar, JsonDocument.Parse(schema).RootElement);
            var constraint = new GrammarConstraint(new CompiledGrammar(grammar, start, trie, [End]));
            var text = new List<byte>();
            var ended = false;
            for (var left = 60; left > 0 && !ended; left--)
            {
                var logits = Enumerable.Range(0, vocabulary.Count).Select(_ => (float)random.NextDouble()).ToArray();
                constraint.Apply(logits, left);
                var id = Array.IndexOf(logits, logits.Max());
                Assert.True(logits[id] >= 0, "some token is allowed");
                if (id == End)
                    break;
                text.AddRange(vocabulary[id]);
                constraint.Accept(id);
                ended = constraint.IsComplete;
            }
            using var document = JsonDocument.Parse(Encoding.UTF8.GetString([.. text]));
            Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
            Assert.True(schema is null || document.RootElement.TryGetProperty("child", out _));
        }
    }

    [Fact]
    public void A_mask_allows_exactly_the_tokens_whose_bytes_can_follow()
    {
        var vocabulary = Vocabulary();
        var trie = new TokenTrie(vocabulary.Count, id => vocabulary[id]);
        var grammar = new Grammar();
        var state = SchemaReader.Read(grammar, JsonDocument.Parse(Person).RootElement);
        foreach (var c in "{\"name\":\"A")
            state = grammar.Next(state, (byte)c);
        var mask = trie.MaskOf(grammar, state, int.MaxValue);
        for (var id = 0; id < vocabulary.Count; id++)
        {
            var next = state;
            foreach (var value in vocabulary[id])
                next = grammar.Next(next, value);
            var expected = vocabulary[id].Length > 0 && next.Kind != GrammarNodeKind.Nothing;
            Assert.Equal(expected, (mask.Allowed[id >> 6] >> (id & 63) & 1) != 0);
        }
    }

    // An end, every byte, and pieces as a trained vocabulary has them, one of them twice.
    private static List<byte[]> Vocabulary() =>
    [
        [],
        .. Enumerable.Range(0, 256).Select(b => new[] { (byte)b }),
        .. new[] { "{\"", "\":", "\", \"", "\"}", "name", "child", "null", "true", "},", "[[", "]]", "{}", "  ", "\n  ", "é", "😀", "\\u00", "123", "null" }.Select(Encoding.UTF8.GetBytes),
    ];
}
