using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.FineTunes;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.FineTunes;

/// <summary>Live streams of jobs. A Functions app cannot hold a WebSocket, so clients are sent on to Web PubSub.</summary>
public sealed class FineTuneStreamHttpFunctions(IFineTuneStore store, IJobEventLog log, IJobRelay relay, ApiKeys keys, RelayEventSignature signature, TimeProvider time)
{
    // How long the address may be used to connect; the connection then lasts as long as it is wanted.
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    // One request an event: what an hour-long job told before is read over REST, its last part is replayed here.
    private const int MostReplayed = 2000;

    /// <summary><c>GET /fine-tunes/{id}/stream</c>: 302 to the stream's address. Not 307, which older WebSocket clients do not follow.</summary>
    [Function(FunctionNames.StreamFineTune)]
    public async Task<IResult> StreamFineTune(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "fine-tunes/{jobId}/stream")] HttpRequest request, string jobId, CancellationToken cancellation)
    {
        var url = await CreateUrlAsync(request.Caller(Scopes.Read), jobId, cancellation);
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return TypedResults.Redirect(url.AbsoluteUri);
    }

    /// <summary><c>POST /fine-tunes/{id}/stream/negotiate</c>: the address, for browsers, which do not follow redirects.</summary>
    [Function("NegotiateFineTuneStream")]
    public async Task<IResult> Negotiate(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "fine-tunes/{jobId}/stream/negotiate")] HttpRequest request, string jobId, CancellationToken cancellation)
    {
        var expires = time.GetUtcNow() + Lifetime;
        var url = await CreateUrlAsync(request.Caller(Scopes.Read), jobId, cancellation);
        return Answer.Json(new StreamTicketAnswer(url.AbsoluteUri, expires.ToUnixTimeSeconds()), ApiJson.Wire.StreamTicketAnswer);
    }

    /// <summary><c>OPTIONS /hubs/jobs/events</c>: says to Web PubSub that its events are wanted here (CloudEvents' abuse protection).</summary>
    [Function(FunctionNames.AllowRelayEvents)]
    public IResult AllowEvents([HttpTrigger(AuthorizationLevel.Anonymous, "options", Route = "hubs/jobs/events")] HttpRequest request)
    {
        if (request.Headers["WebHook-Request-Origin"].ToString() is { Length: > 0 } origin && signature.IsOurs(origin))
        {
            request.HttpContext.Response.Headers["WebHook-Allowed-Origin"] = origin;
        }

        return TypedResults.Ok();
    }

    /// <summary><c>POST /hubs/jobs/events</c>: a client connected; what its job told before is sent to it alone.</summary>
    [Function(FunctionNames.HearRelayEvent)]
    public async Task<IResult> HearEvent(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "hubs/jobs/events")] HttpRequest request, CancellationToken cancellation)
    {
        var connectionId = request.Headers["ce-connectionId"].ToString();
        if (!await signature.IsGenuineAsync(connectionId, request.Headers["ce-signature"].ToString(), request.Headers.Authorization.ToString()))
        {
            throw ApiErrors.Unauthorized("invalid_signature", "The event is not signed by this server's Web PubSub.");
        }

        if (request.Headers["ce-type"].ToString() == "azure.webpubsub.sys.connected"
            && JobStreamUser.Parse(request.Headers["ce-userId"].ToString()) is { Job: var job } user)
        {
            if (!await keys.IsGoodAsync(job.AccountId, user.KeyId, cancellation))
            {
                // The address outlived its key.
                await relay.DisconnectKeyAsync(job.AccountId, user.KeyId, cancellation);
                return TypedResults.NoContent();
            }

            var events = new Queue<JobEvent>();
            await foreach (var told in log.ReadAsync(job, 0, cancellation))
            {
                events.Enqueue(told);
                if (events.Count > MostReplayed)
                {
                    events.Dequeue();
                }
            }

            await relay.SendToConnectionAsync(connectionId, [.. events], cancellation);
        }

        return TypedResults.NoContent();
    }

    private async Task<Uri> CreateUrlAsync(Caller caller, string jobId, CancellationToken cancellation)
    {
        var job = await store.GetAsync(caller, jobId, cancellation);
        try
        {
            return await relay.CreateClientUrlAsync(new JobStreamUser(job.Ref(), caller.Key.Id), Lifetime, cancellation);
        }
        catch (RelayUnavailableException unavailable)
        {
            throw ApiErrors.Unavailable(unavailable.Message, TimeSpan.FromMinutes(10), "stream_unavailable", unavailable);
        }
    }
}
