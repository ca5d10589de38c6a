using LangTrain.Contracts;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Accounts;
using LangTrain.Core.Generation;
using LangTrain.Core.Together;
using LangTrain.Functions.Http;
using LangTrain.Functions.Together;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.Generation;

/// <summary>Texts and answers from models.</summary>
public sealed class GenerationHttpFunctions(CompleteText texts, CompleteChat chats, ApiKeyAuthenticator authenticator)
{
    /// <summary><c>POST /completions</c>: continues one or several texts, whole or as a stream.</summary>
    [Function("CreateCompletion")]
    public async Task<IResult> CreateCompletion(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "completions")] HttpRequest request)
    {
        var gone = request.HttpContext.RequestAborted;
        var caller = request.Caller(Scopes.Infer);
        var wish = CompletionRequest.FromRequest(await request.ReadJsonAsync(gone));
        return wish.Streaming.Stream
            ? new ServerSentEvents<CompletionAnswer>(stop => authenticator.WhileGoodAsync(texts.StreamAsync(caller, wish, stop), caller.Key, stop), ApiJson.Wire.CompletionAnswer)
            : Answer.Json(Shaped(request, await texts.ExecuteAsync(caller, wish, gone)), ApiJson.Wire.CompletionAnswer);
    }

    /// <summary><c>POST /batch/completions</c>: continues many texts; a bad one fails alone.</summary>
    [Function("CreateBatchCompletion")]
    public async Task<IResult> CreateBatchCompletion(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "batch/completions")] HttpRequest request)
    {
        var gone = request.HttpContext.RequestAborted;
        var caller = request.Caller(Scopes.Infer);
        var wish = CompletionRequest.FromBatchRequest(await request.ReadJsonAsync(gone));
        return Answer.Json(await texts.ExecuteBatchAsync(caller, wish, gone), ApiJson.Wire.CompletionAnswer);
    }

    /// <summary><c>POST /chat/completions</c>: answers a chat, whole or as a stream.</summary>
    [Function("CreateChatCompletion")]
    public async Task<IResult> CreateChatCompletion(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "chat/completions")] HttpRequest request)
    {
        var gone = request.HttpContext.RequestAborted;
        var caller = request.Caller(Scopes.Infer);
        var wish = ChatRequest.FromRequest(await request.ReadJsonAsync(gone), countsLogprobs: request.IsTogethers());
        return wish.Streaming.Stream
            ? new ServerSentEvents<ChatCompletionAnswer>(stop => authenticator.WhileGoodAsync(chats.StreamAsync(caller, wish, stop), caller.Key, stop), ApiJson.Wire.ChatCompletionAnswer)
            : Answer.Json(Shaped(request, await chats.ExecuteAsync(caller, wish, gone)), ApiJson.Wire.ChatCompletionAnswer);
    }

    private static CompletionAnswer Shaped(HttpRequest request, CompletionAnswer answer) => request.IsTogethers() ? answer with { Prompt = [] } : answer;

    private static ChatCompletionAnswer Shaped(HttpRequest request, ChatCompletionAnswer answer) => request.IsTogethers() ? answer.ForTogether() : answer;
}
