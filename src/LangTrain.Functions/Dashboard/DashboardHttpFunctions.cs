using System.Collections.Frozen;
using LangTrain.Contracts;
using LangTrain.Contracts.Accounts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.Dashboard;

/// <summary>The web dashboard: its files, and the sign-in by a one-time link. Open to anybody; what it shows it asks the API for, with a key.</summary>
public sealed class DashboardHttpFunctions(DashboardSignIn signIn, EntraSignIn entra)
{
    private const string Prefix = "dashboard/";

    // The page runs no script and asks no address but its own; the job streams are web sockets elsewhere.
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>
    {
        [".html"] = "text/html; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".svg"] = "image/svg+xml",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary><c>GET /dashboard</c> and its files, which are part of the program.</summary>
    [Function(FunctionNames.Dashboard)]
    public static IResult GetDashboard(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "dashboard/{*path}")] HttpRequest request, string? path)
    {
        // Without a file name the page's relative addresses need the slash at the end.
        if (string.IsNullOrEmpty(path) && !request.Path.Value!.EndsWith('/'))
        {
            return TypedResults.Redirect(request.PathBase + request.Path + "/");
        }

        return Page(request, string.IsNullOrEmpty(path) ? "index.html" : path);
    }

    /// <summary><c>GET /docs</c>: the same for people, a page of the dashboard's own files.</summary>
    [Function(FunctionNames.Docs)]
    public static IResult GetDocs([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "docs")] HttpRequest request) =>
        // The page's relative addresses are those of the folder above; with a slash at the end they would lead elsewhere.
        request.Path.Value!.EndsWith('/') ? TypedResults.Redirect(request.PathBase + request.Path.Value.TrimEnd('/')) : Page(request, "docs.html");

    /// <summary><c>POST /dashboard-sessions</c>: a key for the ticket of a sign-in link, once.</summary>
    [Function(FunctionNames.RedeemTicket)]
    public async Task<IResult> RedeemTicket(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "dashboard-sessions")] HttpRequest request, CancellationToken cancellation)
    {
        var body = await request.ReadJsonAsync(cancellation, maxBytes: 4096);
        var ticket = body.RequireText("ticket", ApiKeySecret.MaxLength);
        body.RefuseUnknownKeys();
        body.Problems.ThrowIfAny();
        var made = await signIn.RedeemAsync(ticket, cancellation);
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return Answer.Json(made.Key.ToAnswer(made.Secret), ApiJson.Wire.ApiKeyAnswer);
    }

    /// <summary><c>GET /dashboard-sessions</c>: which ways of signing in there are.</summary>
    [Function(FunctionNames.SignInWays)]
    public IResult GetSignInWays([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "dashboard-sessions")] HttpRequest request) =>
        Answer.Json(new SignInWaysAnswer(entra.IsAvailable ? ["ticket", "api_key", "entra"] : ["ticket", "api_key"]), ApiJson.Wire.SignInWaysAnswer);

    /// <summary><c>POST /dashboard-sessions/entra</c>: a key for whoever Azure's built-in authentication says is there.</summary>
    [Function(FunctionNames.SignInWithEntra)]
    public async Task<IResult> SignInWithEntra(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "dashboard-sessions/entra")] HttpRequest request, CancellationToken cancellation)
    {
        // The platform's cookie goes with requests that other sites make the browser send; those are not ours.
        request.RequireSameOrigin();
        var body = await request.ReadOptionalJsonAsync(cancellation);
        body?.RefuseUnknownKeys();
        body?.Problems.ThrowIfAny();
        var made = await entra.ExecuteAsync(request.Headers["X-MS-CLIENT-PRINCIPAL"].ToString(), cancellation);
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return Answer.Json(made.Key.ToAnswer(made.Secret), ApiJson.Wire.ApiKeyAnswer);
    }

    private static FileStreamHttpResult Page(HttpRequest request, string name)
    {
        if (!Types.TryGetValue(Path.GetExtension(name), out var type)
            || typeof(DashboardHttpFunctions).Assembly.GetManifestResourceStream(Prefix + name) is not { } content)
        {
            throw ApiErrors.UnknownPath(request.Method, request.Path);
        }

        var headers = request.HttpContext.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.CacheControl = "no-cache";
        headers["Referrer-Policy"] = "no-referrer";
        return TypedResults.Stream(content, type);
    }
}
