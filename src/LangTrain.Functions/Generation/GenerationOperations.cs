using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Generation;
using LangTrain.Functions.OpenApi;

namespace LangTrain.Functions.Generation;

/// <summary>Describes the endpoints that make text.</summary>
internal static class GenerationOperations
{
    private static readonly int[] ModelErrors = [404, 409];

    /// <summary>The feature.</summary>
    public static ApiTag Tag { get; } = new("Generation", "Text and answers from base models and from fine-tuned ones, in OpenAI's shapes.",
        new ApiOperation("POST", "chat/completions", "CreateChatCompletion", "Answers a chat.",
            ApiAnswer.JsonOrEvents(ApiJson.Wire.ChatCompletionAnswer, ApiJson.Wire.ChatCompletionAnswer, "The answer; with `stream: true` a stream of chunks that ends with `[DONE]`."))
        {
            Scope = Scopes.Infer, Body = Described(ApiBody.Read(body => ChatRequest.FromRequest(body), """
                { "model": "langtrain/tiny", "messages": [{ "role": "user", "content": "Which color do you like?" }], "max_tokens": 32 }
                """)), Errors = ModelErrors,
        },
        new ApiOperation("POST", "completions", "CreateCompletion", "Continues one or several texts.",
            ApiAnswer.JsonOrEvents(ApiJson.Wire.CompletionAnswer, ApiJson.Wire.CompletionAnswer, "The texts; with `stream: true` a stream of chunks that ends with `[DONE]`."))
        {
            Scope = Scopes.Infer, Body = Described(ApiBody.Read(body => CompletionRequest.FromRequest(body), """
                { "model": "langtrain/tiny", "prompt": "Once upon a time", "max_tokens": 32, "temperature": 0.7 }
                """)), Errors = ModelErrors,
        },
        new ApiOperation("POST", "batch/completions", "CreateBatchCompletion", "Continues many texts; a bad one fails alone.", ApiAnswer.Json(ApiJson.Wire.CompletionAnswer))
        {
            Scope = Scopes.Infer, Body = Described(ApiBody.Read(body => CompletionRequest.FromBatchRequest(body), """
                { "model": "langtrain/tiny", "prompts": ["Red is", "Monday is"], "max_tokens": 8, "batch_size": 2 }
                """)), Errors = ModelErrors,
        },
        new ApiOperation("POST", "tokenize", "Tokenize", "Gives the tokens of a text or a chat.", ApiAnswer.Json(ApiJson.Wire.TokenizeAnswer))
        {
            Scope = Scopes.Infer, Body = ApiBody.Read(body => CountTokens.ReadTokenize(body), """{ "model": "langtrain/tiny", "text": "Hello" }"""), Errors = ModelErrors,
        },
        new ApiOperation("POST", "detokenize", "Detokenize", "Gives the text of tokens.", ApiAnswer.Json(ApiJson.Wire.DetokenizeAnswer))
        {
            Scope = Scopes.Infer, Body = ApiBody.Read(body => CountTokens.ReadDetokenize(body), """{ "model": "langtrain/tiny", "ids": [1, 2, 3] }"""), Errors = ModelErrors,
        });

    private static ApiBody Described(ApiBody body) => body with
    {
        Like = [("", LangTrainJson.Default.GenerateWorkItem, null)],
        Notes = new Dictionary<string, string> { ["model"] = "Id of a model that is `ready`.", ["stream"] = "In pieces, as server-sent events." },
    };
}
