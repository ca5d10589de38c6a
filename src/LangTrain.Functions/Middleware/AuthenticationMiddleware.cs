using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace LangTrain.Functions.Middleware;

/// <summary>Finds the caller of every function that is not open to anybody.</summary>
internal sealed class AuthenticationMiddleware(ApiKeyAuthenticator authenticator) : IFunctionsWorkerMiddleware
{
    private const string Scheme = "Bearer ";

    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (context.GetHttpContext() is { } http && !FunctionNames.Open.Contains(context.FunctionDefinition.Name))
        {
            var fromQuery = TakeTokenOutOfQuery(http.Request);
            var secret = ReadHeader(http.Request)
                ?? (context.FunctionDefinition.Name == FunctionNames.StreamFineTune ? fromQuery : null);
            var (account, key) = await authenticator.AuthenticateAsync(secret, http.RequestAborted);
            http.Features.Set(new Caller(account, key, http.TraceIdentifier));
        }

        await next(context);
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
