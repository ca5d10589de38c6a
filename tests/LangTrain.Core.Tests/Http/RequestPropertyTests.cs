using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using LangTrain.Core.Accounts;
using LangTrain.Core.Batches;
using LangTrain.Core.Errors;
using LangTrain.Core.Files;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Generation;
using LangTrain.Core.Http;
using LangTrain.Core.Models;
using LangTrain.Core.Together;
using LangTrain.Core.Webhooks;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.Http;

/// <summary>Whatever is sent, reading it gives a request or one clear 400: no other exception, no endless work.</summary>
public sealed class RequestPropertyTests
{
    // Every key of every request, so that the readers get past their first look.
    private static readonly string[] Keys =
    [
        "model", "model_id", "prompt", "prompts", "batch_size", "messages", "role", "content", "tool_calls", "tools", "tool_choice", "function", "name",
        "type", "arguments", "id", "text", "temperature", "top_p", "top_k", "min_p", "n", "max_tokens", "max_completion_tokens", "stop", "stream",
        "stream_options", "include_usage", "logprobs", "top_logprobs", "echo", "seed", "logit_bias", "presence_penalty", "frequency_penalty",
        "response_format", "json_schema", "schema", "suffix", "user", "dataset", "url", "file_id", "validation_file_id", "config", "method", "lora_config",
        "r", "alpha", "dropout", "target_modules", "training_config", "epochs", "max_steps", "learning_rate", "warmup_ratio", "eval_split",
        "early_stopping", "patience", "min_delta", "objective", "beta", "metadata", "scopes", "expires_at", "expires_in_days", "grace_seconds",
        "tier", "email", "operator", "suspended", "requests_per_minute", "requests_per_day", "events", "description", "enabled", "ids",
    ];

    private static readonly string[] Scalars =
    [
        "null", "true", "false", "0", "-0.0", "1", "-1", "0.5", "2", "1e308", "1e400", "-1e999", "9223372036854775807", "92233720368547758070", "1e-400",
        "\"\"", "\"a\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00x\"", "\"\\ud83d\\ude00\"", "\"https://example.com/x\"", "\"file:///etc/passwd\"",
        "\"http://u:p@example.com\"", "\"2030-01-01\"", "\"chat\"", "\"user\"", "\"lora\"", "\"sft\"", "\"auto\"", "\"" + new string('x', 5000) + "\"",
    ];

    private static readonly (string Name, Func<RequestObject, Task> Read)[] Readers =
    [
        ("fine-tune", body => Done(FineTuneRequest.FromRequest(body))),
        ("fine-tune of together-ai", body => Done(TogetherFineTuneRequest.FromRequest(body))),
        ("fine-tuning job of OpenAI", body => Done(FineTuningJobRequest.FromRequest(body))),
        ("preview of together-ai", body => Done(TogetherPreviewRequest.FromRequest(body))),
        ("completion", body => Done(CompletionRequest.FromRequest(body))),
        ("batch", body => Done(CompletionRequest.FromBatchRequest(body))),
        ("batch of a file", body => Done(BatchRequest.FromRequest(body))),
        ("chat", body => Done(ChatRequest.FromRequest(body))),
        ("chat of together-ai", body => Done(ChatRequest.FromRequest(body, countsLogprobs: true))),
        ("tokenize", body => Done(CountTokens.ReadTokenize(body))),
        ("detokenize", body => Done(CountTokens.ReadDetokenize(body))),
        ("upload", body => Done(UploadRequest.FromRequest(body))),
        ("export", body => Done(ExportRequest.FromRequest(body))),
        ("api key", body => NewKeys().CreateAsync(Caller(), body, "seed", null)),
        ("account", body => Directory().CreateAsync(Caller(), body, "seed", null)),
        ("change of an account", body => Directory().ChangeAsync(Caller(), "user-none", body)),
        ("webhook", body => Webhooks().CreateAsync(Caller(), body, "seed")),
        ("change of a webhook", body => Webhooks().ChangeAsync(Some.AccountId, "wh-none", body)),
    ];

    private static readonly Dictionary<string, string[]> KeysOf = Readers.ToDictionary(reader => reader.Name, reader => AllKeysOf(reader.Read));

    [Fact]
    public void Any_json_is_read_or_refused_with_all_that_is_wrong() =>
        Prop.ForAll(Object(3).ToArbitrary(), json =>
        {
            foreach (var (name, read) in Readers)
            {
                var error = Refusal(() => read(JsonBody.Parse(Encoding.UTF8.GetBytes(json))).GetAwaiter().GetResult());
                Assert.True(error is null || (error.Status is 400 or 404 && error.Problems.Count is > 0 and <= 21), $"{name}: {error}\n{json}");
                Assert.All(error?.Problems ?? [], problem => Assert.InRange(problem.Message.Length, 1, 2000));
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(400));

    [Fact]
    public void A_request_of_its_own_keys_with_any_values_is_read_or_refused_with_all_that_is_wrong() =>
        Prop.ForAll(
            (from reader in Gen.Elements(Readers) from json in Object(3, KeysOf[reader.Name]) select (reader.Name, reader.Read, json)).ToArbitrary(), one =>
        {
            var error = Refusal(() => one.Read(JsonBody.Parse(Encoding.UTF8.GetBytes(one.json))).GetAwaiter().GetResult());
            Assert.True(error is null || (error.Status is 400 or 404 && error.Problems.Count is > 0 and <= 21), $"{one.Name}: {error}\n{one.json}");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));

    [Fact]
    public void Any_bytes_are_an_object_or_a_400() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes =>
        {
            var error = Refusal(() => JsonBody.Parse(bytes));
            Assert.True(error is null or { Status: 400 }, error?.ToString());
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void Broken_json_is_a_400_wherever_it_breaks() =>
        Prop.ForAll(Object(3).ToArbitrary(), ArbMap.Default.ArbFor<PositiveInt>(), (json, at) =>
        {
            var bytes = Encoding.UTF8.GetBytes(json);
            var error = Refusal(() => JsonBody.Parse(bytes.AsSpan(0, at.Get % bytes.Length)));
            Assert.Equal(400, error?.Status);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void A_key_that_nobody_knows_is_named() =>
        Prop.ForAll(ArbMap.Default.ArbFor<PositiveInt>(), Gen.Elements(Readers).ToArbitrary(), (number, reader) =>
        {
            var error = Refusal(() => reader.Read(JsonBody.Parse(Encoding.UTF8.GetBytes($$"""{"zz{{number.Get}}": 1}"""))).GetAwaiter().GetResult());
            Assert.True(error is { Status: 404 } || error!.Problems.Any(problem => problem.Code == "unknown_parameter" && problem.Param == $"zz{number.Get}"), $"{reader.Name}: {error}");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    private static Gen<string> Object(int depth, string[]? keys = null) =>
        from pairs in (from key in Gen.Elements(keys ?? Keys) from value in Value(depth, keys) select (key, value)).ListOf()
        // One of each key: a key that stands twice is refused before anybody reads it.
        select "{" + string.Join(',', pairs.DistinctBy(pair => keys is null ? pair : (pair.key, "")).Take(12).Select(pair => $"\"{pair.key}\":{pair.value}")) + "}";

    private static Gen<string> Value(int depth, string[]? keys) => depth == 0
        ? Gen.Elements(Scalars)
        : Gen.Frequency(
            (4, Gen.Elements(Scalars)),
            (2, Object(depth - 1, keys)),
            (2, Value(depth - 1, keys).ListOf().Select(items => "[" + string.Join(',', items.Take(6)) + "]")));

    /// <summary>Every key that a reader asks for, at any depth; all keys for one that asks for none before it has looked something up.</summary>
    private static string[] AllKeysOf(Func<RequestObject, Task> read)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        Collect(RequestShape.Of(body => read(body).GetAwaiter().GetResult()));
        return names.Count == 0 ? Keys : [.. names];

        void Collect(JsonNode? node)
        {
            if (node is JsonObject one)
            {
                names.UnionWith((one["properties"] as JsonObject ?? []).Select(property => property.Key));
                foreach (var (_, inner) in one)
                {
                    Collect(inner);
                }
            }
            else if (node is JsonArray many)
            {
                foreach (var inner in many)
                {
                    Collect(inner);
                }
            }
        }
    }

    private static ApiException? Refusal(Action read)
    {
        try
        {
            read();
            return null;
        }
        catch (ApiException refused)
        {
            return refused;
        }
    }

    private static Task Done(object _) => Task.CompletedTask;

    private static Caller Caller() => new(Some.Account() with { IsOperator = true }, Some.Key(new string('0', 64)), "req-1");

    private static ApiKeys NewKeys() => InMemoryAccountStore.Keys(new());

    private static AccountDirectory Directory()
    {
        var store = new InMemoryAccountStore();
        var keys = InMemoryAccountStore.Keys(store);
        return new AccountDirectory(store, keys, new DashboardSignIn(store, keys, TimeProvider.System), TimeProvider.System);
    }

    private static WebhookSubscriptions Webhooks()
    {
        var store = new InMemoryWebhookStore();
        return new WebhookSubscriptions(
            store, new PublishWebhookEvent(store, new InMemoryWorkQueue<Contracts.Webhooks.DeliverWebhookWorkItem>()),
            new WebhookSignature(new DerivedSecrets(new string('k', 32))), allowPrivate: false, TimeProvider.System);
    }
}
