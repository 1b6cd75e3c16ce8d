drop table subscription_steps, trial_uses, subscription_charges, subscriptions, plan_prices, plans;
