using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LangTrain.Functions.OpenApi;
using LangTrain.Functions.Tests.Hosting;
using LangTrain.Testing;

namespace LangTrain.Functions.Tests.OpenApi;

public sealed class OpenApiTests
{
    private static readonly JsonObject Document = JsonNode.Parse(OpenApiDocument.Utf8.Span)!.AsObject();

    [Fact]
    public async Task Document_is_open_to_anybody_and_valid_OpenAPI_3_1()
    {
        await using var app = await TestApp.StartAsync();
        using var anybody = app.ClientWith(null);
        var text = await anybody.GetStringAsync("openapi.json");
        var read = Microsoft.OpenApi.OpenApiDocument.Parse(text, "json");
        Assert.Empty(read.Diagnostic!.Errors.Select(error => error.ToString()));
        Assert.Empty(read.Diagnostic.Warnings.Select(warning => warning.ToString()));
        Assert.Equal(Microsoft.OpenApi.OpenApiSpecVersion.OpenApi3_1, read.Diagnostic.SpecificationVersion);
    }

    [Fact]
    public async Task Page_of_the_docs_needs_nothing_from_elsewhere()
    {
        await using var app = await TestApp.StartAsync();
        using var anybody = app.ClientWith(null);
        using var page = await anybody.GetAsync("docs");
        Assert.Contains("default-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        var named = Regex.Matches(await page.Content.ReadAsStringAsync(), "(?:src|href)=\"([^\"]+)\"").Select(match => match.Groups[1].Value).ToHashSet();
        Assert.Contains("dashboard/docs.js", named);
        foreach (var name in named)
        {
            Assert.DoesNotContain("//", name, StringComparison.Ordinal);
            using var file = await anybody.GetAsync(name);
            Assert.True(file.IsSuccessStatusCode, name);
        }
    }

    [Fact]
    public void Every_reference_leads_somewhere_and_every_component_is_used()
    {
        var references = All(Document).OfType<JsonObject>().Where(one => one["$ref"] is JsonValue).Select(one => one["$ref"]!.GetValue<string>()).ToHashSet();
        var components = Document["components"]!.AsObject().Where(kind => kind.Key != "securitySchemes")
            .SelectMany(kind => kind.Value!.AsObject().Select(one => $"#/components/{kind.Key}/{one.Key}"));
        Assert.Equal(components.Order(StringComparer.Ordinal), references.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_field_and_parameter_is_explained()
    {
        var mute = Document["components"]!["schemas"]!.AsObject()
            .Where(schema => !schema.Key.EndsWith("Request", StringComparison.Ordinal))
            .SelectMany(schema => schema.Value!["properties"]!.AsObject()
                .Where(property => string.IsNullOrEmpty(property.Value!["description"]?.GetValue<string>()))
                .Select(property => $"{schema.Key}.{property.Key}"));
        Assert.Empty(mute);
    }

    [Fact]
    public void Examples_fit_their_own_schemas()
    {
        var contract = new AnswerContract(Document.DeepClone().AsObject());
        foreach (var operation in ApiOperations.Tags.SelectMany(tag => tag.Operations))
        {
            if (operation.Body?.Example is { } example)
            {
                Assert.True(contract.ProblemOfBody(operation.OperationId + "Request", example) is not { } problem, $"{operation.OperationId}: {contract.ProblemOfBody(operation.OperationId + "Request", example)}");
            }
        }
    }

    [Fact]
    public void Request_is_described_as_it_is_read()
    {
        var request = Document["components"]!["schemas"]!["CreateFineTuneRequest"]!;
        Assert.Equal(["model_id", "dataset"], request["required"]!.AsArray().Select(key => key!.GetValue<string>()));
        Assert.False(request["additionalProperties"]!.GetValue<bool>());
        var rank = request["properties"]!["config"]!["properties"]!["lora_config"]!["properties"]!["r"]!;
        Assert.Equal((1, 512, 16), (rank["minimum"]!.GetValue<int>(), rank["maximum"]!.GetValue<int>(), rank["default"]!.GetValue<int>()));
        Assert.StartsWith("Rank", rank["description"]!.GetValue<string>(), StringComparison.Ordinal);

        // Asked for only to be refused.
        Assert.Null(Document["components"]!["schemas"]!["CreateChatCompletionRequest"]!["properties"]!["functions"]);
    }

    private static IEnumerable<JsonNode> All(JsonNode? node) => node switch
    {
        JsonObject one => one.SelectMany(pair => All(pair.Value)).Prepend(one),
        JsonArray many => many.SelectMany(All),
        _ => [],
    };
}
