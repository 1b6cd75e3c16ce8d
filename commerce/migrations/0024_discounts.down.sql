drop table discount_redemptions, discounts;
