using LangTrain.Core.Storage;

namespace LangTrain.Core.Accounts;

/// <summary>Reading of keys.</summary>
public static class AccountStoreExtensions
{
    /// <summary>A key by its id, whether it still counts or not; null where the account has none of it. Keys are stored by their hash, so that all of the account are gone through.</summary>
    public static async Task<Versioned<ApiKey>?> FindKeyAsync(this IAccountStore accounts, string accountId, string keyId, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(accounts);
        await foreach (var row in accounts.ListKeysAsync(accountId, cancellation))
        {
            if (row.Value.Id == keyId)
            {
                return row;
            }
        }

        return null;
    }
}
