using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.Accounts;

public sealed class ApiKeyAuthenticatorTests
{
    private const string Secret = "lt-some-secret";
    private readonly ManualTimeProvider _clock = new();
    private readonly InMemoryAccountStore _accounts = new();

    [Fact]
    public async Task Revoked_key_stops_within_five_seconds_on_an_instance_that_knows_it()
    {
        var authenticator = await WithKeyAsync();
        await authenticator.AuthenticateAsync(Secret);
        await InMemoryAccountStore.Keys(_accounts, _clock).RevokeAsync(Some.AccountId, (await authenticator.AuthenticateAsync(Secret)).Key.Id);
        _clock.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal("invalid_api_key", (await Assert.ThrowsAsync<ApiException>(async () => await authenticator.AuthenticateAsync(Secret))).Code);
    }

    [Fact]
    public async Task Revoked_key_in_steady_use_stops_within_five_seconds_on_every_instance()
    {
        var instances = new[] { await WithKeyAsync(), new ApiKeyAuthenticator(_accounts, _clock), new ApiKeyAuthenticator(_accounts, _clock) };
        await UseAsync(TimeSpan.FromSeconds(20));
        Assert.All(await UseAsync(TimeSpan.FromSeconds(1)), Assert.True);
        await InMemoryAccountStore.Keys(_accounts, _clock).RevokeAsync(Some.AccountId, (await instances[0].AuthenticateAsync(Secret)).Key.Id);
        Assert.All(await UseAsync(TimeSpan.FromSeconds(4.9)), Assert.False);

        async Task<bool[]> UseAsync(TimeSpan span)
        {
            var works = new bool[instances.Length];
            for (var end = _clock.GetUtcNow() + span; _clock.GetUtcNow() < end; _clock.Advance(TimeSpan.FromSeconds(0.1)))
            {
                for (var i = 0; i < instances.Length; i++)
                {
                    works[i] = await WorksAsync(instances[i]);
                }
            }

            return works;
        }

        static async Task<bool> WorksAsync(ApiKeyAuthenticator instance)
        {
            try
            {
                await instance.AuthenticateAsync(Secret);
                return true;
            }
            catch (ApiException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task All_who_come_at_once_with_a_key_wait_for_one_reading_unless_it_is_an_old_one()
    {
        var authenticator = await WithKeyAsync();
        var (readings, storage) = (0, new TaskCompletionSource());
        _accounts.BeforeFindKey = () =>
        {
            readings++;
            return storage.Task;
        };
        using var gone = new CancellationTokenSource();
        var first = authenticator.AuthenticateAsync(Secret, gone.Token).AsTask();
        var others = Enumerable.Range(0, 20).Select(_ => authenticator.AuthenticateAsync(Secret).AsTask()).ToArray();
        await gone.CancelAsync();
        _clock.Advance(TimeSpan.FromSeconds(4));
        var late = authenticator.AuthenticateAsync(Secret).AsTask();
        Assert.Equal(1, readings);
        storage.SetResult();
        Assert.All(await Task.WhenAll(others), found => Assert.Equal(Some.AccountId, found.Account.Id));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await late;
        Assert.Equal(2, readings);
    }

    [Fact]
    public async Task Expired_key_stops_at_once_even_while_it_is_remembered()
    {
        var authenticator = await WithKeyAsync(key => key with { ExpiresAt = _clock.GetUtcNow().AddSeconds(1) });
        await authenticator.AuthenticateAsync(Secret);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("api_key_expired", (await Assert.ThrowsAsync<ApiException>(async () => await authenticator.AuthenticateAsync(Secret))).Code);
    }

    [Fact]
    public async Task Last_use_is_noted_to_within_some_minutes()
    {
        var authenticator = await WithKeyAsync();
        await authenticator.AuthenticateAsync(Secret);
        var first = (await _accounts.FindKeyAsync(ApiKeySecret.Hash(Secret)))!.Value.LastUsedAt;
        _clock.Advance(TimeSpan.FromMinutes(2));
        await authenticator.AuthenticateAsync(Secret);
        Assert.Equal(first, (await _accounts.FindKeyAsync(ApiKeySecret.Hash(Secret)))!.Value.LastUsedAt);
        _clock.Advance(TimeSpan.FromMinutes(4));
        await authenticator.AuthenticateAsync(Secret);
        Assert.Equal(_clock.GetUtcNow(), (await _accounts.FindKeyAsync(ApiKeySecret.Hash(Secret)))!.Value.LastUsedAt);
    }

    [Fact]
    public async Task New_key_is_not_the_old_guess_and_its_display_gives_nothing_away()
    {
        var secret = ApiKeySecret.New();
        Assert.Equal(46, secret.Length);
        Assert.Equal(secret[..7], ApiKeySecret.Display(secret));
        Assert.Equal("sho", ApiKeySecret.Display("short-key"));
        var authenticator = await WithKeyAsync();
        await Assert.ThrowsAsync<ApiException>(async () => await authenticator.AuthenticateAsync(secret));
    }

    [Fact]
    public async Task Bootstrap_runs_twice_as_once_and_moves_the_tier()
    {
        var bootstrap = new BootstrapAccount(_accounts, InMemoryAccountStore.Keys(_accounts, _clock), _clock);
        await bootstrap.ExecuteAsync("bootstrap-key", "free");
        Assert.Equal("pro", (await bootstrap.ExecuteAsync("bootstrap-key", "pro")).Tier);
        Assert.Single(await InMemoryAccountStore.Keys(_accounts, _clock).ListAsync(BootstrapAccount.AccountId));
        await Assert.ThrowsAsync<ArgumentException>(() => bootstrap.ExecuteAsync("bootstrap-key", "royal"));
        await Assert.ThrowsAsync<ArgumentException>(() => bootstrap.ExecuteAsync("short", "free"));
    }

    private async Task<ApiKeyAuthenticator> WithKeyAsync(Func<ApiKey, ApiKey>? change = null)
    {
        await _accounts.UpsertAsync(Some.Account());
        var key = Some.Key(ApiKeySecret.Hash(Secret));
        await _accounts.CreateKeyAsync(change?.Invoke(key) ?? key);
        return new ApiKeyAuthenticator(_accounts, _clock);
    }
}
