using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LangTrain.LocalHost.Relay;

/// <summary>The REST data plane of Web PubSub, as far as SDKs use it here, for callers who sign with the access key.</summary>
internal sealed class RelayServerEndpoints(RelayOptions options, RelayHubs hubs, RelayClientEndpoint clients, TimeProvider time)
{
    private const string Hub = "/api/hubs/{hub}";
    private const string Group = Hub + "/groups/{group}";
    private const string Connection = Hub + "/connections/{connection}";

    /// <summary>Maps data plane and client endpoint.</summary>
    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.Map("/client/hubs/{hub}", http => clients.HandleAsync(http, Value(http, "hub")));
        endpoints.MapMethods("/api/health", ["HEAD", "GET"], http => Status(http, StatusCodes.Status200OK));

        Post(endpoints, Hub + "/:send", http => SendAsync(http, null, hubs.All(Value(http, "hub"))));
        Post(endpoints, Group + "/:send", http => SendAsync(http, Value(http, "group"), hubs.InGroup(Value(http, "hub"), Value(http, "group"))));
        Post(endpoints, Connection + "/:send", http => SendAsync(http, null, Named(http)));
        Post(endpoints, Hub + "/:closeConnections", http => Close(http, hubs.All(Value(http, "hub"))));
        Post(endpoints, Group + "/:closeConnections", http => Close(http, hubs.InGroup(Value(http, "hub"), Value(http, "group"))));
        Post(endpoints, Hub + "/:generateToken", GenerateTokenAsync);

        Signed(endpoints, ["DELETE"], Connection, http => Close(http, Named(http)));
        Signed(endpoints, ["HEAD"], Connection, http => Exists(http, Named(http).Count > 0));
        Signed(endpoints, ["HEAD"], Group, http => Exists(http, hubs.InGroup(Value(http, "hub"), Value(http, "group")).Count > 0));
        Signed(endpoints, ["PUT", "DELETE"], Group + "/connections/{connection}", ChangeGroup);
    }

    private static string Value(HttpContext http, string name) => Uri.UnescapeDataString((string)http.GetRouteValue(name)!);

    private static Task Status(HttpContext http, int status)
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private static Task Exists(HttpContext http, bool exists) => Status(http, exists ? StatusCodes.Status200OK : StatusCodes.Status404NotFound);

    private static async Task SendAsync(HttpContext http, string? group, IReadOnlyList<RelayConnection> receivers)
    {
        var type = http.Request.ContentType?.Split(';')[0].Trim().ToLowerInvariant() switch
        {
            "application/json" => "json",
            "text/plain" => "text",
            "application/octet-stream" => "binary",
            _ => null,
        };
        if (type is null)
        {
            await Status(http, StatusCodes.Status415UnsupportedMediaType);
            return;
        }

        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        if (type == "json" && !IsJson(body.GetBuffer().AsMemory(0, (int)body.Length)))
        {
            await Status(http, StatusCodes.Status400BadRequest);
            return;
        }

        var message = new RelayMessage(type, body.ToArray(), group);
        var excluded = http.Request.Query["excluded"].ToHashSet();
        foreach (var receiver in receivers.Where(receiver => !excluded.Contains(receiver.Id)))
        {
            receiver.Send(message);
        }

        http.Response.StatusCode = StatusCodes.Status202Accepted;
    }

    private static bool IsJson(ReadOnlyMemory<byte> text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static Task Close(HttpContext http, IReadOnlyList<RelayConnection> connections)
    {
        var excluded = http.Request.Query["excluded"].ToHashSet();
        foreach (var connection in connections.Where(connection => !excluded.Contains(connection.Id)))
        {
            connection.Close(http.Request.Query["reason"].ToString());
        }

        return Status(http, StatusCodes.Status204NoContent);
    }

    private Task ChangeGroup(HttpContext http)
    {
        foreach (var connection in Named(http))
        {
            if (http.Request.Method == "PUT")
            {
                hubs.Join(connection, Value(http, "group"));
            }
            else
            {
                hubs.Leave(connection, Value(http, "group"));
            }
        }

        return Status(http, http.Request.Method == "PUT" ? StatusCodes.Status200OK : StatusCodes.Status204NoContent);
    }

    private async Task GenerateTokenAsync(HttpContext http)
    {
        var query = http.Request.Query;
        var minutes = int.TryParse(query["minutesToExpire"], System.Globalization.CultureInfo.InvariantCulture, out var asked) && asked > 0 ? asked : 60;
        var token = new RelayToken(
            $"{options.Endpoint.AbsoluteUri.TrimEnd('/')}/client/hubs/{Value(http, "hub")}",
            time.GetUtcNow().AddMinutes(minutes),
            query["userId"].FirstOrDefault(),
            [.. query["role"].OfType<string>()],
            [.. query["group"].OfType<string>()]);
        await http.Response.WriteAsJsonAsync(new Dictionary<string, string> { ["token"] = token.Write(options.AccessKey) }, http.RequestAborted);
    }

    private IReadOnlyList<RelayConnection> Named(HttpContext http) =>
        hubs.Find(Value(http, "hub"), Value(http, "connection")) is { } connection ? [connection] : [];

    private void Post(IEndpointRouteBuilder endpoints, string route, RequestDelegate handler) => Signed(endpoints, ["POST"], route, handler);

    private void Signed(IEndpointRouteBuilder endpoints, string[] methods, string route, RequestDelegate handler) =>
        endpoints.MapMethods(route, methods, http => IsSigned(http.Request) ? handler(http) : Status(http, StatusCodes.Status401Unauthorized));

    // The token is for the one address that is called, its query aside.
    private bool IsSigned(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
            && RelayToken.TryRead(header[7..], options.AccessKey, time.GetUtcNow()) is { } token
            && Uri.TryCreate(token.Audience, UriKind.Absolute, out var audience)
            && Uri.UnescapeDataString(audience.AbsolutePath).TrimEnd('/') == Uri.UnescapeDataString(request.Path.Value!).TrimEnd('/');
    }
}
