using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Files;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace LangTrain.Functions.Middleware;

/// <summary>Finds the caller of every function that is not open to anybody.</summary>
internal sealed class AuthenticationMiddleware(ApiKeyAuthenticator authenticator, UploadTickets tickets) : IFunctionsWorkerMiddleware
{
    private const string Scheme = "Bearer ";

    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (context.GetHttpContext() is { } stray && context.FunctionDefinition.Name == FunctionNames.Unknown)
        {
            await TryAsync(stray);
        }
        else if (context.GetHttpContext() is { } http && !FunctionNames.Open.Contains(context.FunctionDefinition.Name))
        {
            var fromQuery = TakeTokenOutOfQuery(http.Request);
            var (account, key) = context.FunctionDefinition.Name == FunctionNames.PutFileContent && fromQuery is not null
                ? await ReadTicketAsync(http, fromQuery)
                : await authenticator.AuthenticateAsync(
                    ReadHeader(http.Request) ?? (context.FunctionDefinition.Name == FunctionNames.StreamFineTune ? fromQuery : null), http.RequestAborted);
            http.Features.Set(new Caller(account, key, http.TraceIdentifier));
        }

        await next(context);
    }

    // What leads nowhere is told to anybody; it counts against the limits of a key that comes with it, as every request does.
    private async Task TryAsync(HttpContext http)
    {
        try
        {
            if (ReadHeader(http.Request) is { } secret)
            {
                var (account, key) = await authenticator.AuthenticateAsync(secret, http.RequestAborted);
                http.Features.Set(new Caller(account, key, http.TraceIdentifier));
            }
        }
        catch (ApiException)
        {
            // No good key, and none is needed to be told that there is nothing.
        }
    }

    // For its file and nothing else, and only as long as the key that asked for it is good.
    private ValueTask<(Account Account, ApiKey Key)> ReadTicketAsync(HttpContext http, string? text)
    {
        var ticket = tickets.Read(text);
        http.Features.Set(ticket);
        return authenticator.AuthenticateTicketAsync(ticket.AccountId, ticket.KeyId, http.RequestAborted);
    }

    private static string? ReadHeader(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        if (header.Length == 0)
        {
            return null;
        }

        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? header[Scheme.Length..].Trim()
            : throw ApiErrors.Unauthorized("invalid_authorization_header", "The Authorization header must be 'Bearer YOUR_KEY'.");
    }

    // Whatever logs the address from here on must not write a key down.
    private static string? TakeTokenOutOfQuery(HttpRequest request)
    {
        if (!request.Query.TryGetValue("token", out var token))
        {
            return null;
        }

        var rest = new QueryBuilder(request.Query.Where(pair => pair.Key != "token")) { { "token", "REDACTED" } };
        request.QueryString = rest.ToQueryString();
        return token.ToString();
    }
}
